import { expect } from 'chai'
import { lstat, mkdir, readdir, readFile, readlink, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { AccountFile } from '../../src/sync/account-file.js'
import { FileLock } from '../../src/sync/file-lock.js'
import type { Machine } from '../../src/sync/machine.js'
import { ProvisionError } from '../../src/sync/provision-error.js'
import { Tools } from '../../src/sync/tools.js'
import { run } from '../lab/run.js'
import { rejectionOf, temporaryFolder } from '../support/services.js'

/** As if this process stood on the server, as root. */
const here: Machine = {
  async run([program = '', ...args], { input = '', signal } = {}) {
    if (program === 'id') return { code: 0, stdout: '0', stderr: '' }
    if (signal?.aborted) throw new ProvisionError('ABORTED', 'The step was stopped.')
    const { code, stdout, stderr } = await run(program, args, { input })
    return { code: code ?? 0, stdout, stderr }
  },
  close: () => Promise.resolve(),
}

describe('the lock of a file of accounts', function () {
  this.timeout(60_000)
  let tools: Tools
  let folder: string
  let file: string
  let remove: () => Promise<void>

  before(async function () {
    if (process.platform !== 'linux') this.skip()
    tools = await Tools.of(here, 'tester')
  })
  beforeEach(async () => {
    ;({ folder, remove } = await temporaryFolder())
    file = path.join(folder, 'users[1]')
    await writeFile(file, 'anna:x:20000:20000:::\n', { mode: 0o640 })
  })
  afterEach(() => remove?.())

  const toolsOn = (run: Machine['run']) => Tools.of({ ...here, run }, 'tester')
  const link = () => `${file}.ftpcluster-lock`
  const beside = async () => (await readdir(folder)).sort()
  const lockOf = (owner?: string) => new FileLock(tools, file, owner)

  /** Takes the lock and goes, as a process does that is killed. */
  async function abandoned(owner?: string): Promise<void> {
    let dead = false
    const dying = await toolsOn((argv, options) => (dead ? lost() : here.run(argv, options)))
    const lost = () => Promise.reject(new ProvisionError('UNREACHABLE', 'The connection to the server broke.'))
    const work = new FileLock(dying, file, owner).hold({}, async ({ own }) => {
      await writeFile(path.join(own, 'half'), 'a hash')
      dead = true
      throw new ProvisionError('ABORTED', 'killed')
    })
    expect(await rejectionOf(work)).to.include({ code: 'ABORTED' })
  }

  async function agedLock(): Promise<void> {
    await mkdir(link())
    const then = Date.now() / 1000 - 7 * 60
    await utimes(link(), then, then)
  }

  it('says whose it is while it is held, and leaves nothing behind', async () => {
    const held = await lockOf('7-abc').hold({}, async ({ own }) => {
      expect((await lstat(own)).mode & 0o7777).to.equal(0o700)
      return { own: path.basename(own), link: await readlink(link()) }
    })
    expect(held.link)
      .to.equal(held.own)
      .and.match(/^users\[1\]\.ftpcluster-7-abc-[0-9a-f]{16}$/)
    expect(await beside()).to.deep.equal(['users[1]'])
  })

  it('of an earlier run that died is broken at once, and what that run had begun is gone', async () => {
    await abandoned('7-abc')
    expect(await beside()).to.have.length(3)
    const seen = await lockOf('7-abc').hold({}, () => beside())
    expect(seen).to.have.length(3)
    expect(await beside()).to.deep.equal(['users[1]'])
  })

  for (const [whose, other] of [
    ['another gateway', '8-abc'],
    ['a gateway whose name only begins alike', '7-abcd'],
    ['nobody who says so', undefined],
  ] as const) {
    it(`of ${whose} is waited for`, async () => {
      const order: string[] = []
      let release = () => {}
      const released = new Promise<void>((resolve) => (release = resolve))
      let taken = () => {}
      const first = new Promise<void>((resolve) => (taken = resolve))
      const theirs = lockOf(other).hold({}, async () => {
        taken()
        await released
        order.push('theirs ends')
      })
      await first
      let tries = 0
      const watching = await toolsOn(async (argv, options) => {
        const result = await here.run(argv, options)
        if (argv.includes('ln') && ++tries === 3) release()
        return result
      })
      const ours = new FileLock(watching, file, '7-abc')
      await ours.hold({}, () => Promise.resolve(order.push('ours begins')))
      await theirs
      expect(order).to.deep.equal(['theirs ends', 'ours begins'])
      expect(await beside()).to.deep.equal(['users[1]'])
    })
  }

  it('of a script that makes a folder is waited for until it is old', async () => {
    await mkdir(link())
    const stop = new AbortController()
    let tries = 0
    const watching = await toolsOn((argv, options) => {
      if (argv.includes('ln') && ++tries === 3) stop.abort()
      return here.run(argv, options)
    })
    const lock = new FileLock(watching, file, '7-abc')
    expect(await rejectionOf(lock.hold({ signal: stop.signal }, () => Promise.resolve()))).to.include({
      code: 'ABORTED',
    })
    expect((await lstat(link())).isDirectory()).to.equal(true)
    await remove()
    ;({ folder, remove } = await temporaryFolder())
    file = path.join(folder, 'users')
    await agedLock()
    await lockOf().hold({}, () => Promise.resolve())
    expect(await beside()).to.deep.equal([])
  })

  it('takes with it the right to replace the file, when it is broken', async () => {
    const accounts = new AccountFile(tools, file, '7-abc')
    const late = accounts.locked({}, async (locked) => {
      // Somebody took this one for dead.
      await new AccountFile(tools, file, '7-abc').locked({}, (mine) =>
        mine.edit((text) => `${text}bert:x:1:1:::\n`, {}),
      )
      await locked.edit((text) => text.replace('anna', 'lost'), {})
    })
    expect(await rejectionOf(late)).to.be.instanceOf(ProvisionError)
    expect(await readFile(file, 'utf8')).to.equal('anna:x:20000:20000:::\nbert:x:1:1:::\n')
    expect((await lstat(file)).mode & 0o7777).to.equal(0o640)
    expect(await beside()).to.deep.equal(['users[1]'])
  })

  it('is not taken from its next holder by the one who lost it', async () => {
    let second: Promise<void> | undefined
    let release = () => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    await lockOf('7-abc').hold({}, async () => {
      await new Promise<void>((resolve) => {
        second = lockOf('7-abc').hold({}, async () => {
          resolve()
          await released
          expect((await lstat(link())).isSymbolicLink()).to.equal(true)
        })
      })
    })
    release()
    await second
    expect(await beside()).to.deep.equal(['users[1]'])
  })
})
