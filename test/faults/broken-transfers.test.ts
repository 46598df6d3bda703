import { expect } from 'chai'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { eventually, temporaryFilesIn, contentOf, upload, versionOf } from '../support/upload.js'
import { PASSWORD, USER } from '../support/drive.js'
import { row } from './lab/figures.js'
import type { Fault } from './lab/injection.js'
import { closed, rawRequest } from './lab/raw-client.js'
import { reset } from './lab/reset.js'
import { Rig, type Station } from './lab/rig.js'
import { countSockets } from './lab/tcp-table.js'

const KINDS = ['proftpd', 'vsftpd', 'pure-ftpd', 'sshd'] as const
const SIZE = 2 * 1024 * 1024
const BIG = 64 * 1024 * 1024
const STALL = 1_000
/** For a busy machine. */
const ROOM = 5_000
const RESET: Fault['action'] = { kind: 'reset' }
const FILE = 'file.bin'

describe('a transfer that breaks', function () {
  this.timeout(240_000)
  let rig: Rig
  let version = 0

  before(async function () {
    rig = await Rig.start(this, {
      daemons: [...KINDS],
      env: {
        FTPCLUSTER_DEADLINES_STALL: `${STALL}ms`,
        FTPCLUSTER_DEADLINES_FIRST_BYTE: `${STALL}ms`,
        FTPCLUSTER_DEADLINES_SEND_STALL: '3s',
        FTPCLUSTER_DEADLINES_CLIENT_IDLE: '2s',
      },
    })
  })

  afterEach(function () {
    if (this.currentTest?.state === 'failed')
      process.stderr.write(rig?.gateway.log.split('\n').slice(-8).join('\n') + '\n')
    rig?.calm()
  })
  after(() => rig?.stop())

  /** All servers at the same time: each has a proxy of its own. */
  function onAll<T>(work: (station: Station) => Promise<T>): Promise<T[]> {
    return Promise.all(rig.stations.map(work))
  }

  async function plant(station: Station): Promise<Buffer> {
    const content = versionOf(++version, SIZE)
    await station.plant(FILE, content)
    return content
  }

  /** The server's bytes stop, or break, once so many have passed. */
  function strikeDownload({ proxy, kind }: Station, after: number, action: 'stall' | 'reset'): void {
    proxy.atByte({ channel: kind === 'sshd' ? 'control' : 'data', direction: 'down', after, action })
  }

  async function assertNothingTemporary(station: Station, seconds: number): Promise<void> {
    const none = async () => (await temporaryFilesIn(station.home)).length === 0
    await eventually(`no temporary file on ${station.alias}`, seconds, none)
  }

  row(6, 'a download whose server falls silent goes on from where it was, once', async (notes) => {
    const times = await onAll(async (station) => {
      const content = await plant(station)
      strikeDownload(station, SIZE / 2, 'stall')
      const answer = await station.ask('GET', FILE)
      expect(answer.status, station.alias).to.equal(200)
      expect(answer.whole && answer.body.equals(content), `${station.alias}: the whole file`).to.equal(true)
      return answer.ms
    })
    notes.within('resumed and whole after', Math.max(...times), STALL + ROOM)
  })

  row(6, 'a download whose server stays silent is cut, never ended cleanly', async (notes) => {
    const times = await onAll(async (station) => {
      const content = await plant(station)
      const onBytes = (bytes: number) => {
        if (bytes > SIZE / 4) station.proxy.freeze()
      }
      const answer = await station.ask('GET', FILE, { onBytes })
      const whole = answer.whole && answer.status === 200
      // What was on its way already may have been all of it.
      if (whole) expect(answer.body.equals(content)).to.equal(true)
      station.proxy.thaw()
      expect((await station.ask('GET', FILE)).body.equals(content), `${station.alias} afterwards`).to.equal(true)
      return answer.ms
    })
    notes.within('cut after', Math.max(...times), STALL + 3_000 + ROOM)
  })

  row(8, 'a download that is reset goes on at byte 1, in the middle and before the last byte', async (notes) => {
    const times: number[] = []
    for (const after of [1, SIZE / 2, SIZE - 1]) {
      await onAll(async (station) => {
        const content = await plant(station)
        await station.ask('PROPFIND', '', { headers: { Depth: '0' } })
        strikeDownload(station, after, 'reset')
        const answer = await station.ask('GET', FILE)
        expect(answer.status, `${station.alias} at ${after}`).to.equal(200)
        expect(answer.whole && answer.body.equals(content), `${station.alias} at ${after}: whole`).to.equal(true)
        times.push(answer.ms)
      })
    }
    notes.within('resumed and whole after', Math.max(...times), ROOM)
  })

  row(8, 'a download that is reset again and again is cut, never ended cleanly', async () => {
    await onAll(async (station) => {
      const content = await plant(station)
      for (let i = 0; i < 6; i++) strikeDownload(station, 200_000 + i, 'reset')
      const answer = await station.ask('GET', FILE)
      const cut = !answer.whole || answer.status !== 200
      expect(cut, `${station.alias}: ${answer.status}, ${answer.body.length} bytes`).to.equal(true)
      expect(content.subarray(0, answer.body.length).equals(answer.body) || answer.status !== 200).to.equal(true)
    })
  })

  row(7, 'an upload whose server falls silent is answered 504, and the old file stays whole', async (notes) => {
    const times = await onAll(async (station) => {
      const old = await plant(station)
      if (station.kind === 'sshd') station.commands.armOn(/^WRITE/, { at: 'before', action: { kind: 'stall' } }, 3)
      else station.proxy.atByte({ channel: 'data', direction: 'up', after: SIZE / 2, action: 'stall' })
      const answer = await station.ask('PUT', FILE, { body: versionOf(++version, SIZE * 4) })
      expect(answer.status, station.alias).to.equal(504)
      expect((await contentOf(`${station.home}/${FILE}`)).equals(old), station.alias).to.equal(true)
      return answer.ms
    })
    notes.within('504 after', Math.max(...times), STALL + ROOM)
    rig.calm()
    await onAll((station) => assertNothingTemporary(station, 30))
  })

  row(7, 'an upload from a client slower than the deadline of the server is no stalled one', async () => {
    await onAll(async (station) => {
      const body = versionOf(++version, SIZE)
      const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, STALL + 500))
      const url = station.url(FILE)
      const auth = `${USER}:${PASSWORD}`
      const status = await upload({ url, auth, body, pauseAt: { bytes: SIZE / 2, then: pause } })
      expect(status, station.alias).to.be.oneOf([201, 204])
      expect((await contentOf(`${station.home}/${FILE}`)).equals(body)).to.equal(true)
    })
  })

  row(9, 'an upload that is reset at 0, 1, n/2, n-1 and n bytes leaves the old file whole', async (notes) => {
    const times: number[] = []
    for (const after of [0, 1, SIZE / 2, SIZE - 1, SIZE]) {
      await onAll(async (station) => {
        const old = await plant(station)
        const body = versionOf(++version, SIZE)
        if (station.kind === 'sshd') {
          const nth = 1 + Math.floor((after / SIZE) * 8)
          if (after === SIZE) station.commands.armOn(/^CLOSE/, { at: 'before', action: RESET })
          else station.commands.armOn(/^WRITE/, { at: 'before', action: RESET }, nth)
        } else if (after === SIZE) station.commands.armOn(/^STOR/, { at: 'end', action: RESET })
        else station.proxy.atByte({ channel: 'data', direction: 'up', after, action: 'reset' })
        const { status, ms } = await station.ask('PUT', FILE, { body })
        const content = await contentOf(`${station.home}/${FILE}`)
        if (status === 201 || status === 204) expect(content.equals(body), station.alias).to.equal(true)
        else {
          expect(status, `${station.alias} at ${after}`).to.equal(502)
          expect(content.equals(old), `${station.alias} at ${after}: the old file`).to.equal(true)
        }
        times.push(ms)
      })
      rig.calm()
    }
    notes.within('502 after', Math.max(...times), 3_500 + ROOM)
    await onAll((station) => assertNothingTemporary(station, 30))
  })

  for (const [what, ftp, sftp] of [
    ['after RNFR', [/^RNFR/, 'end'], [/posix-rename/, 'before']],
    ['before RNTO', [/^RNTO/, 'before'], [/posix-rename/, 'before']],
    ['before the answer to RNTO', [/^RNTO/, 'end'], [/posix-rename/, 'end']],
  ] as const) {
    row(10, `an upload that is reset ${what} is looked up, finished and answered as done`, async (notes) => {
      const times = await onAll(async (station) => {
        await plant(station)
        const body = versionOf(++version, SIZE)
        const [pattern, at] = station.kind === 'sshd' ? sftp : ftp
        station.commands.armOn(pattern, { at, action: RESET })
        const { status, ms } = await station.ask('PUT', FILE, { body })
        expect(station.commands.fired, station.alias).to.equal(1)
        expect(status, station.alias).to.be.oneOf([201, 204])
        expect((await contentOf(`${station.home}/${FILE}`)).equals(body), station.alias).to.equal(true)
        await assertNothingTemporary(station, 30)
        return ms
      })
      notes.within('done after', Math.max(...times), 10_000)
    })
  }

  row(18, 'a slow server is slow, and nothing takes its progress for a stall', async (notes) => {
    const [slow, ...others] = rig.stations
    if (slow === undefined) throw new Error('a station')
    const content = versionOf(++version, 300_000)
    await slow.plant(FILE, content)
    slow.proxy.shape = { delay: 60, slice: 4096, bytesPerSecond: 150_000 }
    const slowly = slow.ask('GET', FILE)
    const beside = await Promise.all(others.map((station) => station.ask('PROPFIND', '', { headers: { Depth: '1' } })))
    for (const { status } of beside) expect(status).to.equal(207)
    const answer = await slowly
    expect(answer.whole, `${answer.status}, ${answer.body.length} bytes after ${answer.ms} ms`).to.equal(true)
    expect(answer.body.equals(content)).to.equal(true)
    expect(answer.ms, 'longer than any deadline').to.be.greaterThan(2 * STALL)
    const put = await slow.ask('PUT', FILE, { body: content.subarray(0, 16_000) })
    expect(put.status).to.equal(204)
    notes.say(
      `300 KB in ${(answer.ms / 1000).toFixed(1)} s, others within ${Math.round(Math.max(...beside.map(({ ms }) => ms)))} ms`,
    )
  })

  const WAYS = { 'a FIN': 'destroy', 'a reset': 'reset', silence: 'silence' } as const
  for (const [how, way] of Object.entries(WAYS)) {
    row(29, `an upload given up by ${how} leaves the old file whole and nothing else`, async (notes) => {
      const started = performance.now()
      await onAll(async (station) => {
        const old = await plant(station)
        const part = versionOf(++version, SIZE / 4)
        const framings = [
          [['Content-Length: 9000000'], part],
          [
            ['Transfer-Encoding: chunked'],
            Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\nff\r\n')]),
          ],
        ] as const
        for (const [headers, bytes] of framings) {
          const socket = await rawRequest(station.url(FILE), 'PUT', headers)
          socket.write(bytes)
          const begun = async () => (await temporaryFilesIn(station.home)).length > 0
          await eventually('the upload begins', 10, begun)
          if (way === 'destroy') socket.destroy()
          if (way === 'reset') reset(socket)
          if (way === 'silence') expect(await closed(socket)).to.match(/^HTTP\/1\.1 408/)
          await assertNothingTemporary(station, 10)
          expect((await contentOf(`${station.home}/${FILE}`)).equals(old)).to.equal(true)
        }
      })
      notes.atMost('two uploads clean on all servers after', performance.now() - started, 25_000)
    })
  }

  row(30, 'a download given up stops the transfer from the server', async (notes) => {
    await onAll(async (station) => {
      await station.plant('big.bin', Buffer.alloc(BIG))
      const before = station.proxy.bytes.down
      await station.ask('GET', 'big.bin', { onBytes: (bytes, cut) => (bytes > 500_000 ? cut() : undefined) })
      const started = performance.now()
      const next = await station.ask('PROPFIND', '', { headers: { Depth: '1' } })
      expect(next.status).to.equal(207)
      notes.within(`${station.alias}: next answer after`, performance.now() - started, 3_000)
      expect(station.proxy.bytes.down - before, `bytes from ${station.alias}`).to.be.below(BIG / 2)
    })
  })

  row(31, 'clients that never read are cut, and little is held for each', async (notes) => {
    await onAll((station) => station.plant('big.bin', Buffer.alloc(BIG)))
    const before = await rig.gateway.residentMemory()
    const count = 40
    const sockets = await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const socket = await rawRequest(rig.stations[i % KINDS.length]?.url('big.bin') ?? '', 'GET')
        socket.pause()
        return socket
      }),
    )
    const started = performance.now()
    let most = before
    const sample = setInterval(() => void rig.gateway.residentMemory().then((now) => (most = Math.max(most, now))), 200)
    const cut = async () => (await countSockets('established', { local: rig.gateway.port })) === 0
    await eventually('the gateway has cut them all', 60, cut)
    // A socket that is not read does not hear the other side go. What it hears now was on its way before the cut.
    const received = await Promise.all(sockets.map(bytesUntilEnd))
    for (const bytes of received) expect(bytes, 'bytes of a download that was cut').to.be.below(BIG)
    clearInterval(sample)
    notes.atMost('all cut after', performance.now() - started, 30_000)
    notes.say(`${((most - before) / count / 1024 / 1024).toFixed(2)} MB for each of ${count}`)
    expect((most - before) / count).to.be.below(5 * 1024 * 1024)
    await onAll(async (station) => {
      expect((await station.ask('PROPFIND', '', { headers: { Depth: '1' } })).status).to.equal(207)
    })
  })
})

async function bytesUntilEnd(socket: Socket): Promise<number> {
  let bytes = 0
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
  if (!socket.closed) await once(socket.resume(), 'close')
  return bytes
}
