import { expect } from 'chai'
import { PASSWORD, USER } from '../support/drive.js'
import { eventually, temporaryFilesIn, contentOf, versionOf } from '../support/upload.js'
import { row } from './lab/figures.js'
import { closed, rawRequest } from './lab/raw-client.js'
import { Rig } from './lab/rig.js'

const SIZE = 16 * 1024 * 1024
const FILE = 'file.bin'

interface Recorded {
  readonly type: string
  readonly outcome: string
  readonly details?: { readonly path?: string }
}

describe('what is recorded and revoked while transfers run', function () {
  this.timeout(120_000)
  let rig: Rig

  before(async function () {
    rig = await Rig.start(this, { daemons: ['vsftpd', 'sshd'] })
    for (const station of rig.stations) await station.plant(FILE, versionOf(1, SIZE))
  })

  after(() => rig?.stop())

  row([29, 30], 'every request has a line in the audit, with what really became of it', async () => {
    for (const station of rig.stations) {
      expect((await station.ask('PUT', 'whole', { body: 'x' })).status).to.equal(201)
      await station.ask('GET', FILE, { onBytes: (_, cut) => cut() })
      const socket = await rawRequest(station.url('given-up'), 'PUT', ['Content-Length: 9000000'])
      socket.write(Buffer.alloc(100_000))
      await eventually('the upload begins', 10, async () => (await temporaryFilesIn(station.home)).length > 0)
      socket.destroy()
      await eventually('it is cleaned up', 10, async () => (await temporaryFilesIn(station.home)).length === 0)
      station.commands.arm(() => ({ at: 'before', action: { kind: 'reset' } }))
      expect(Number((await station.ask('MKCOL', 'refused')).status)).to.be.within(500, 599)
      station.commands.disarm()
    }
    await eventually('all of it is recorded', 20, async () => {
      const { code, stdout } = await rig.gateway.cli('audit', 'export', '--format', 'json')
      expect(code).to.equal(0)
      const events = JSON.parse(stdout) as readonly Recorded[]
      const outcomes = (path: string) =>
        events.filter(({ details }) => details?.path === path).map(({ type, outcome }) => `${type} ${outcome}`)
      return rig.stations.every(
        ({ alias }) =>
          outcomes(`/${alias}/whole`).join() === 'file.written ok' &&
          outcomes(`/${alias}/${FILE}`).includes('file.read failed') &&
          outcomes(`/${alias}/given-up`).join() === 'file.written failed' &&
          outcomes(`/${alias}/refused`).some((outcome) => outcome.endsWith(' failed')),
      )
    })
    const { code, stdout, stderr } = await rig.gateway.cli('audit', 'verify')
    expect(code, stdout + stderr).to.equal(0)
  })

  row(40, 'a permission that ends cuts its transfers, keeps the old file, and hides the folder', async (notes) => {
    await Promise.all(
      rig.stations.map(async (station) => {
        const socket = await rawRequest(station.url(FILE), 'PUT', [`Content-Length: ${SIZE}`])
        socket.write(Buffer.alloc(300_000))
        await eventually('the upload begins', 10, async () => (await temporaryFilesIn(station.home)).length > 0)
        let revoked: Promise<number> | undefined
        const revoke = async (): Promise<number> => {
          const { code, stderr } = await rig.gateway.cli('permission', 'remove', USER, station.alias)
          expect(code, stderr).to.equal(0)
          const since = performance.now()
          await eventually('the folder is gone', 10, async () => {
            return (await station.ask('PROPFIND', '', { headers: { Depth: '0' } })).status === 404
          })
          return since
        }
        const download = await station.ask('GET', FILE, {
          onBytes: async () => void (await (revoked ??= revoke())),
        })
        const since = (await revoked) ?? 0
        expect(download.whole, 'the download').to.equal(false)
        const answer = await closed(socket)
        const ended = performance.now()
        expect(answer).to.match(/^(HTTP\/1\.1 403|$)/)
        notes.within(`${station.alias}: cut after`, ended - since, 1_000 + 2_000)
        expect((await station.ask('GET', FILE)).status).to.be.oneOf([403, 404])
        expect((await contentOf(`${station.home}/${FILE}`)).equals(versionOf(1, SIZE))).to.equal(true)
        await eventually('nothing temporary', 30, async () => (await temporaryFilesIn(station.home)).length === 0)
      }),
    )
  })

  it('no password is in the log', () => {
    expect(rig.gateway.log).to.not.include(PASSWORD).and.not.include('alice-secret')
  })
})
