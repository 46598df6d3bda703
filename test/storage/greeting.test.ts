import { expect } from 'chai'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { generate } from 'selfsigned'
import { createDialer } from '../../src/storage/dialer.js'
import type { Protocol } from '../../src/storage/driver.js'
import { awaitGreeting } from '../../src/storage/greeting.js'
import { FakeFtpServer } from './fake-ftp-server.js'

const dial = createDialer({ allow: ['127.0.0.0/8'] })

describe('awaitGreeting', () => {
  let server: Server | undefined
  let received: string
  let sockets: Socket[]

  beforeEach(() => {
    received = ''
    sockets = []
  })
  afterEach(() => {
    for (const socket of sockets) socket.destroy()
    server?.close()
    server = undefined
  })

  async function listen(greet: (socket: Socket) => void): Promise<number> {
    server = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => undefined).on('data', (chunk) => (received += chunk.toString('latin1')))
      greet(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  const probe = (protocol: Protocol, port: number, timeout = 5000, signal?: AbortSignal) =>
    awaitGreeting(dial, { protocol, host: '127.0.0.1', port }, { timeout, signal })

  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'ok',
      (error: { code?: string }) => error.code,
    )

  const greetings: [protocol: Protocol, text: string, code: string][] = [
    ['ftp', '220 ready\r\n', 'ok'],
    ['ftp', '220-Welcome\r\n220 ready\r\n', 'ok'],
    ['ftps', '220 ready\r\n', 'ok'],
    ['ftp', '421 too many connections\r\n', 'ok'],
    ['ftp', 'SSH-2.0-OpenSSH\r\n', 'PROTOCOL'],
    ['ftp', 'HTTP/1.1 400 Bad Request\r\n', 'PROTOCOL'],
    ['sftp', 'SSH-2.0-OpenSSH_9.2\r\n', 'ok'],
    ['sftp', 'mind the step\r\nSSH-2.0-x\r\n', 'ok'],
    ['sftp', '220 ready\r\n'.repeat(2000), 'PROTOCOL'],
  ]
  for (const [protocol, text, code] of greetings) {
    it(`takes ${JSON.stringify(text.slice(0, 30))} from ${protocol} for ${code}`, async () => {
      const port = await listen((socket) => socket.write(text))
      expect(await codeOf(probe(protocol, port))).to.equal(code)
    })
  }

  it('says in how many milliseconds', async () => {
    const port = await listen((socket) => socket.write('220 ready\r\n'))
    expect(await probe('ftp', port)).to.be.within(0, 5000)
  })

  it('sends no name and no password', async () => {
    const port = await listen((socket) => socket.write('220 ready\r\n'))
    await probe('ftp', port)
    const [socket] = sockets
    if (socket && !socket.readableEnded) await once(socket, 'end')
    expect(received).to.equal('QUIT\r\n')
  })

  it('looks behind the TLS of implicit FTPS, whoever signed the certificate', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' })
    const fake = await FakeFtpServer.start({ tls: { key, cert, implicit: true } })
    try {
      expect(await probe('ftps-implicit', fake.port)).to.be.greaterThan(0)
      expect(fake.lines.filter((line) => line !== 'QUIT')).to.deep.equal([])
    } finally {
      await fake.close()
    }
  })

  it('gives up on a server that says nothing', async () => {
    const port = await listen(() => undefined)
    expect(await codeOf(probe('ftp', port, 50))).to.equal('TIMED_OUT')
  })

  it('gives up on a server that hangs up', async () => {
    const port = await listen((socket) => socket.end())
    expect(await codeOf(probe('sftp', port))).to.equal('CONNECTION_LOST')
  })

  it('stops when it is told to', async () => {
    const controller = new AbortController()
    const port = await listen(() => controller.abort())
    expect(await codeOf(probe('ftp', port, 5000, controller.signal))).to.equal('ABORTED')
  })

  it('goes nowhere that the rules for addresses exclude', async () => {
    let connected = false
    const port = await listen(() => (connected = true))
    const strict = createDialer({ allow: [] })
    const work = awaitGreeting(strict, { protocol: 'ftp', host: '127.0.0.1', port }, { timeout: 1000 })
    expect(await codeOf(work)).to.equal('UNREACHABLE')
    expect(connected).to.equal(false)
  })
})
