import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chown, open, rm } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import path from 'node:path'
import { once } from 'node:events'
import { labFor, type DaemonKind, type Lab } from '../lab/lab.js'
import { driveOver, PASSWORD, USER } from '../support/drive.js'
import { GatewayProcess } from '../support/gateway.js'

const GIB = 1024 ** 3
const MIB = 1024 ** 2
const BOUND = 250 * MIB
/** Bytes of each of four files. */
const EACH = 256 * MIB
const FOUR_AT_ONCE = 200e6
const KINDS: readonly DaemonKind[] = ['proftpd', 'proftpd-ftps', 'sshd']

describe('a gateway with little memory', function () {
  this.timeout(300_000)
  let lab: Lab

  before(async function () {
    lab = await labFor(this, { daemons: KINDS })
  })

  after(() => lab?.stop())

  for (const kind of KINDS) {
    it(`carries 1 GiB up to ${kind} and down again below 250 MB`, async () => {
      const gateway = await GatewayProcess.start(driveOver(lab))
      try {
        const url = gateway.dav(kind, 'large.bin')
        const sent = await putGiB(url)
        const received = await hashOf(await ask(url, 'GET'))
        expect(received).to.equal(sent)
        const file = path.join(lab.daemon(kind).account('alice').home, 'large.bin')
        expect(await hashOf(createReadStream(file, { highWaterMark: MIB }))).to.equal(sent)
        await rm(file)
        expect(await gateway.peakMemory()).to.be.below(BOUND)
      } finally {
        await gateway.stop()
      }
    })
  }

  it('carries four downloads from sshd at once below 200 MB', async () => {
    const { home } = lab.daemon('sshd').account('alice')
    const names = ['one.bin', 'two.bin', 'three.bin', 'four.bin'] as const
    for (const name of names) {
      const file = await open(path.join(home, name), 'w')
      await file.truncate(EACH)
      await file.close()
    }
    const gateway = await GatewayProcess.start(driveOver(lab))
    try {
      const sizes = await Promise.all(names.map((name) => sizeOf(gateway.dav('sshd', name))))
      expect(sizes).to.deep.equal(names.map(() => EACH))
      expect(await gateway.peakMemory()).to.be.below(FOUR_AT_ONCE)
    } finally {
      await gateway.stop()
      for (const name of names) await rm(path.join(home, name))
    }
  })

  it('lists a folder of 10,000 entries below 250 MB on every server', async () => {
    for (const kind of KINDS) {
      const { home, uid } = lab.daemon(kind).account('alice')
      for (let i = 0; i < 10_000; i++) {
        const file = path.join(home, `entry number ${i} of ten thousand.txt`)
        await (await open(file, 'w')).close()
        if (i % 1000 === 0) await chown(file, uid, uid)
      }
    }
    const gateway = await GatewayProcess.start(driveOver(lab))
    try {
      for (const kind of KINDS) {
        const response = await ask(gateway.dav(kind), 'PROPFIND', { Depth: '1' })
        expect(response.statusCode).to.equal(207)
        let text = ''
        for await (const chunk of response) text += String(chunk)
        expect(text.match(/<D:response>/g)).to.have.length(10_001)
      }
      expect(await gateway.peakMemory()).to.be.below(BOUND)
    } finally {
      await gateway.stop()
    }
  })

  it('reads little of the server for ten bytes at 900 MiB', async () => {
    const gateway = await GatewayProcess.start(driveOver(lab))
    try {
      for (const kind of KINDS) {
        const { home } = lab.daemon(kind).account('alice')
        const file = await open(path.join(home, 'sparse.bin'), 'w')
        await file.write('0123456789', 900 * MIB)
        await file.truncate(GIB)
        await file.close()
        const url = gateway.dav(kind, 'sparse.bin')
        const before = await gateway.bytesRead()
        const response = await ask(url, 'GET', { Range: `bytes=${900 * MIB}-${900 * MIB + 9}` })
        expect(response.statusCode).to.equal(206)
        let text = ''
        for await (const chunk of response) text += String(chunk)
        expect(text).to.equal('0123456789')
        expect((await gateway.bytesRead()) - before, `bytes read for ten of ${kind}`).to.be.below(MIB)
      }
    } finally {
      await gateway.stop()
    }
  })
})

function ask(url: string, method: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const outgoing = request(url, { method, auth: `${USER}:${PASSWORD}`, headers })
  outgoing.end()
  return once(outgoing, 'response').then(([response]) => response as IncomingMessage)
}

/** @returns SHA-256 of what was sent */
async function putGiB(url: string): Promise<string> {
  const block = Buffer.alloc(MIB)
  for (let i = 0; i < block.length; i++) block[i] = (i * 31) & 0xff
  const hash = createHash('sha256')
  const headers = { 'Content-Length': String(GIB) }
  const outgoing = request(url, { method: 'PUT', auth: `${USER}:${PASSWORD}`, headers })
  const answered = once(outgoing, 'response')
  for (let n = 0; n < GIB / MIB; n++) {
    const chunk = Buffer.from(block)
    chunk.writeUInt32LE(n)
    hash.update(chunk)
    if (!outgoing.write(chunk)) await once(outgoing, 'drain')
  }
  outgoing.end()
  const [response] = (await answered) as [IncomingMessage]
  response.resume()
  expect(response.statusCode).to.equal(201)
  return hash.digest('hex')
}

async function sizeOf(url: string): Promise<number> {
  const response = await ask(url, 'GET')
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) bytes += chunk.length
  return bytes
}

async function hashOf(source: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of source) hash.update(chunk)
  return hash.digest('hex')
}
