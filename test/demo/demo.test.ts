import { expect } from 'chai'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '../support/services.js'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

describe('the demo', function () {
  this.timeout(60_000)
  let folder: string
  let remove: () => Promise<void>
  const running = new Set<ChildProcess>()

  before(async () => ({ folder, remove } = await temporaryFolder()))
  after(async () => {
    await Promise.all([...running].map(end))
    await remove()
  })

  function start(port: string) {
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/demo/main.ts'], {
      cwd: PROJECT,
      env: { PATH: process.env['PATH'], FTPCLUSTER_DATA_DIR: folder, FTPCLUSTER_PORT: port },
    })
    running.add(child)
    const exit = once(child, 'exit').then(([code]) => code as number | null)
    const said = { out: '', err: '' }
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text))
    const ready = new Promise<void>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said.out += text
        if (said.out.includes('Ctrl-C')) resolve()
      })
    })
    return { child, exit, said, ready }
  }

  async function end(child: ChildProcess): Promise<void> {
    running.delete(child)
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }

  it('prints an address and a login with which files are listed, stored, fetched and deleted on both servers', async () => {
    const demo = start('0')
    await Promise.race([demo.ready, demo.exit])
    const [, drive = ''] = /Drive +(\S+)/.exec(demo.said.out) ?? []
    const [, user = '', password = ''] = /User +(\S+) +password +(\S+)/.exec(demo.said.out) ?? []
    const headers = { authorization: 'Basic ' + Buffer.from(`${user}:${password}`).toString('base64') }
    const ask = (method: string, path: string, body?: string) =>
      fetch(drive + path, { method, headers, ...(body === undefined ? {} : { body }) })

    async function works(): Promise<void> {
      const root = await (await ask('PROPFIND', '')).text()
      for (const server of ['server2', 'server3']) {
        expect(root, demo.said.err).to.include(`/dav/${server}/`)
        expect(await (await ask('PROPFIND', server)).text()).to.include('welcome.txt')
        expect((await ask('PUT', `${server}/new.txt`, server)).status).to.equal(201)
        expect(await (await ask('GET', `${server}/new.txt`)).text()).to.equal(server)
        expect((await ask('DELETE', `${server}/new.txt`)).status).to.equal(204)
      }
    }
    await works()

    const second = start(new URL(drive).port)
    expect(await second.exit, 'the exit code of a second demo on the same port').to.equal(1)
    expect(second.said.err).to.match(/^FTPCLUSTER_PORT: \d+ on 127.0.0.1 .*free port.*\n$/)
    await works()
    await end(demo.child)
    expect(await demo.exit).to.equal(0)
  })
})
