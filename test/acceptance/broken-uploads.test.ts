import { expect } from 'chai'
import { chown, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ALL_DAEMONS, labFor, type AccountName, type Lab, type LabDaemon } from '../lab/lab.js'
import { PASSWORD, USER } from '../support/drive.js'
import { GatewayProcess, type Cluster } from '../support/gateway.js'
import { contentOf, eventually, temporaryFilesIn, upload, versionOf } from '../support/upload.js'

const TIMES = 20
const SIZE = 3 * 1024 * 1024
/** With these bytes an upload is whole, and stored whether its client stays or not. */
const LAST_PIECE = 64 * 1024
const AUTH = `${USER}:${PASSWORD}`
const FILE = 'report.bin'
const SMALL_DISK = 1024 * 1024

/** The user has alice's login on every server, and the one with the small disk as `<kind>-small`. */
function cluster(lab: Lab): Cluster {
  const roles: [string, AccountName][] = [
    ['', 'alice'],
    ['-small', 'small'],
  ]
  const all = lab.daemons.flatMap((daemon) =>
    roles.map(([suffix, name]) => ({ daemon, alias: daemon.kind + suffix, name })),
  )
  return {
    servers: all.map(({ alias, daemon }) => ({ alias, endpoint: daemon.endpoint })),
    users: [{ username: USER, password: PASSWORD }],
    permissions: all.map(({ alias, daemon, name }) => {
      const { username, password } = daemon.account(name)
      return { user: USER, server: alias, login: { username, ...(password === undefined ? {} : { password }) } }
    }),
  }
}

describe('an upload over an existing file that breaks', function () {
  this.timeout(300_000)
  let lab: Lab
  let gateway: GatewayProcess

  before(async function () {
    lab = await labFor(this, { daemons: ALL_DAEMONS, smallDisk: SMALL_DISK })
    gateway = await GatewayProcess.start(cluster(lab))
  })

  after(async () => {
    await gateway?.stop()
    await lab?.stop()
  })

  for (const kind of ALL_DAEMONS) {
    describe(`on ${kind}`, () => {
      let daemon: LabDaemon
      let home: string
      let version = 0

      before(() => {
        daemon = lab.daemon(kind)
        home = daemon.account('alice').home
      })

      async function plant(folder: string, uid: number, content: Buffer): Promise<string> {
        const file = path.join(folder, FILE)
        await writeFile(file, content)
        await chown(file, uid, uid)
        return file
      }

      /** What stood there whole, or what was sent whole; the latter surely when it was acknowledged. */
      async function assertWhole(file: string, old: Buffer, sent: Buffer, status: number | 'cut'): Promise<void> {
        const content = await contentOf(file)
        const acknowledged = status === 201 || status === 204
        const whole = content.equals(sent) || (!acknowledged && content.equals(old))
        expect(whole, `status ${status}, ${content.length} bytes`).to.equal(true)
      }

      async function nothingTemporary(folder: string): Promise<void> {
        await eventually(`no temporary file in ${kind}`, 60, async () => (await temporaryFilesIn(folder)).length === 0)
      }

      it(`by the client leaves the old content whole, ${TIMES} times at random points`, async () => {
        const old = versionOf(version, SIZE)
        const file = await plant(home, daemon.account('alice').uid, old)
        for (let i = 0; i < TIMES; i++) {
          const bytes = Math.floor(Math.random() * (SIZE - LAST_PIECE))
          const body = versionOf(++version, SIZE)
          const url = gateway.dav(kind, FILE)
          const status = await upload({ url, auth: AUTH, body, pauseAt: { bytes, then: (cut) => cut() } })
          expect(status).to.equal('cut')
          expect((await contentOf(file)).equals(old), `cut at ${bytes}`).to.equal(true)
        }
        await nothingTemporary(home)
      })

      it(`by the end of the server’s session leaves one version whole, ${TIMES} times at random points`, async () => {
        let broken = 0
        for (let i = 0; i < TIMES; i++) {
          const old = versionOf(version, SIZE)
          const file = await plant(home, daemon.account('alice').uid, old)
          const bytes = Math.floor(Math.random() * SIZE)
          const body = versionOf(++version, SIZE)
          const killSessions = () => {
            for (const pid of daemon.sessions().reverse()) kill(pid)
          }
          const url = gateway.dav(kind, FILE)
          const status = await upload({ url, auth: AUTH, body, pauseAt: { bytes, then: killSessions } })
          if (status !== 201 && status !== 204) broken++
          await assertWhole(file, old, body, status)
        }
        expect(broken, 'uploads that broke').to.be.greaterThan(0)
        await nothingTemporary(home)
      })

      it(`by a full disk answers 507 and leaves the old content whole, ${TIMES} times`, async () => {
        const account = daemon.account('small')
        const old = versionOf(version, 100_000)
        const file = await plant(account.home, account.uid, old)
        for (let i = 0; i < TIMES; i++) {
          const body = versionOf(++version, SMALL_DISK + Math.floor(Math.random() * SMALL_DISK))
          const status = await upload({ url: gateway.dav(`${kind}-small`, FILE), auth: AUTH, body })
          expect(status).to.equal(507)
          expect((await contentOf(file)).equals(old)).to.equal(true)
        }
        await nothingTemporary(account.home)
      })
    })
  }

  it(`by kill -9 of the gateway leaves one version whole on every server, ${TIMES} times at random points`, async () => {
    const all = lab.daemons.map((daemon) => ({ daemon, account: daemon.account('alice') }))
    for (let i = 0; i < TIMES; i++) {
      const old = versionOf(10_000 + 2 * i, SIZE)
      const body = versionOf(10_001 + 2 * i, SIZE)
      for (const { account } of all) {
        const file = path.join(account.home, FILE)
        await writeFile(file, old)
        await chown(file, account.uid, account.uid)
      }
      // The gateway ends when the first of the uploads comes to its point.
      let killed: Promise<void> | undefined
      const then = () => (killed ??= gateway.kill())
      const statuses = await Promise.all(
        all.map(({ daemon }) => {
          const bytes = Math.floor(Math.random() * SIZE * 1.1)
          return upload({ url: gateway.dav(daemon.kind, FILE), auth: AUTH, body, pauseAt: { bytes, then } })
        }),
      )
      await killed
      await gateway.serve()
      for (const [n, { daemon, account }] of all.entries()) {
        const content = await contentOf(path.join(account.home, FILE))
        const acknowledged = statuses[n] === 201 || statuses[n] === 204
        const whole = content.equals(body) || (!acknowledged && content.equals(old))
        expect(whole, `${daemon.kind}: ${statuses[n]}, ${content.length} bytes`).to.equal(true)
      }
    }
    for (const { daemon, account } of all) {
      await eventually(`no temporary file in ${daemon.kind}`, 60, async () => {
        return (await temporaryFilesIn(account.home)).length === 0
      })
    }
  })
})

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
