import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { profileTop } from '../../bench/profile-top.js'
import { Profiler } from '../../bench/profiler.js'

/** Does one thing, and another when it is told to. */
const PROGRAM = `
  function busy(name) { for (const end = Date.now() + 200; Date.now() < end;) Math.sqrt(Math.random()) }
  function atStart() { busy() }
  function later() { busy() }
  atStart()
  process.stdin.on('data', () => { later(); console.log('done') })
  console.log('ready')
`

describe('bench: the profile of a row', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ftpcluster-profiler-'))
  })
  after(() => rm(folder, { recursive: true }))

  it('holds what the process did meanwhile, and not how it started', async () => {
    const profiler = new Profiler(folder)
    const child = spawn(process.execPath, [...profiler.nodeOptions, '-e', PROGRAM], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    try {
      await once(child.stdout, 'data')
      const result = await profiler.during('row', async () => {
        child.stdin.write('go')
        await once(child.stdout, 'data')
        return 'measured'
      })
      expect(result).to.equal('measured')
    } finally {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    }
    expect(await readdir(folder)).to.deep.equal(['row.cpuprofile'])
    const top = await profileTop(folder)
    expect(top).to.contain('later').and.not.to.contain('atStart')
  })
})
