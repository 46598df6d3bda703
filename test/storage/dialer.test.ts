import { expect } from 'chai'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { addressRules, createDialer, type HostAddress } from '../../src/storage/dialer.js'
import type { Dialer } from '../../src/storage/driver.js'
import { StorageError } from '../../src/storage/errors.js'

async function failure(attempt: Promise<unknown>): Promise<StorageError> {
  try {
    await attempt
  } catch (error) {
    expect(error).to.be.instanceOf(StorageError)
    return error as StorageError
  }
  throw new Error('it succeeded')
}

describe('dialer', () => {
  let server: Server
  let port: number
  const accepted = new Set<Socket>()
  const dialled: Socket[] = []

  async function dial(dialer: Dialer, host: string, signal?: AbortSignal): Promise<Socket> {
    const socket = await dialer(host, port, { signal })
    dialled.push(socket)
    return socket
  }

  before((done) => {
    server = createServer((socket) => {
      accepted.add(socket)
      socket.on('error', () => undefined)
    }).listen(0, '127.0.0.1', () => {
      port = (server.address() as AddressInfo).port
      done()
    })
  })

  afterEach(() => {
    for (const socket of [...dialled.splice(0), ...accepted]) socket.destroy()
    accepted.clear()
  })

  after((done) => {
    server.close(done)
  })

  it('refuses loopback unless it is allowed, and names the setting that allows it', async () => {
    const error = await failure(createDialer({ allow: [] })('127.0.0.1', port, {}))
    expect(error.code).to.equal('UNREACHABLE')
    expect(error.message).to.include('127.0.0.1').and.include('FTPCLUSTER_ALLOW_NETWORKS')
    expect(accepted.size).to.equal(0)
  })

  it('connects to loopback when a CIDR allows it', async () => {
    const socket = await dial(createDialer({ allow: ['127.0.0.0/8'] }), '127.0.0.1')
    expect(socket.remotePort).to.equal(port)
    expect(socket.readyState).to.equal('open')
  })

  for (const host of [
    '0.0.0.0',
    '0.1.2.3',
    '127.9.9.9',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '[::1]',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:a9fe:a9fe',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fe80::1',
    'ff02::1',
    '2130706433',
    '0x7f.1',
    '127.1',
    'localhost',
  ]) {
    it(`refuses ${host}`, async () => {
      const error = await failure(createDialer({ allow: [] })(host, port, {}))
      expect(error.code).to.equal('UNREACHABLE')
      expect(error.message).to.include('not allowed')
    })
  }

  it('allows an IPv4-mapped address only where its IPv4 address is allowed', async () => {
    const socket = await dial(createDialer({ allow: ['127.0.0.1'] }), '::ffff:127.0.0.1')
    expect(socket.readyState).to.equal('open')
  })

  it('does not refuse private or public addresses', () => {
    const isAllowed = addressRules([])
    for (const address of ['10.1.2.3', '192.168.1.1', '172.16.0.1', '203.0.113.5', 'fd00::1', '2001:db8::1']) {
      expect(isAllowed(address), address).to.equal(true)
    }
    expect(isAllowed('127.0.0.1')).to.equal(false)
  })

  it('connects to an address it checked: the name is resolved once', async () => {
    let asked = 0
    const answers: HostAddress[][] = [
      [{ address: '127.0.0.1', family: 4 }],
      [{ address: '169.254.169.254', family: 4 }],
    ]
    const resolve = () => Promise.resolve(answers[asked++] ?? [])
    const socket = await dial(createDialer({ allow: ['127.0.0.0/8'], resolve }), 'rebinding.example')
    expect(socket.remoteAddress).to.equal('127.0.0.1')
    expect(asked).to.equal(1)
  })

  it('leaves out the addresses of a name that are not allowed', async () => {
    const resolve = () =>
      Promise.resolve([
        { address: '169.254.169.254', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ])
    const socket = await dial(createDialer({ allow: ['127.0.0.0/8'], resolve }), 'both.example')
    expect(socket.remoteAddress).to.equal('127.0.0.1')
  })

  it('goes on to the next address when one refuses', async () => {
    const closed = createServer()
    const closedPort = await new Promise<number>((resolve) => {
      closed.listen(0, '127.0.0.2', () => resolve((closed.address() as AddressInfo).port))
    })
    await new Promise((resolve) => closed.close(resolve))
    const only = createServer((socket) => socket.on('error', () => undefined))
    await new Promise<void>((resolve) => only.listen(closedPort, '127.0.0.1', resolve))
    try {
      const resolve = () =>
        Promise.resolve([
          { address: '127.0.0.2', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ])
      const dialer = createDialer({ allow: ['127.0.0.0/8'], resolve })
      const socket = await dialer('two.example', closedPort, {})
      dialled.push(socket)
      expect(socket.remoteAddress).to.equal('127.0.0.1')
    } finally {
      for (const socket of dialled) socket.destroy()
      await new Promise((resolve) => only.close(resolve))
    }
  })

  it('says UNREACHABLE when the port is closed', async () => {
    const closed = createServer()
    const closedPort = await new Promise<number>((resolve) => {
      closed.listen(0, '127.0.0.1', () => resolve((closed.address() as AddressInfo).port))
    })
    await new Promise((resolve) => closed.close(resolve))
    const error = await failure(createDialer({ allow: ['127.0.0.0/8'] })('127.0.0.1', closedPort, {}))
    expect(error.code).to.equal('UNREACHABLE')
    expect(error.message).to.include('refused')
  })

  it('says UNREACHABLE when the name does not resolve', async () => {
    const resolve = () => Promise.reject(new Error('getaddrinfo ENOTFOUND'))
    const error = await failure(createDialer({ allow: [], resolve })('nowhere.example', 22, {}))
    expect(error.code).to.equal('UNREACHABLE')
    expect(error.message).to.include('resolved')
  })

  it('gives up after its time when the resolver never answers', async () => {
    const resolve = () => new Promise<never>(() => undefined)
    const error = await failure(createDialer({ allow: [], resolve, connectTimeout: 20 })('slow.example', 22, {}))
    expect(error.code).to.equal('TIMED_OUT')
  })

  it('stops with the signal', async () => {
    const stop = new AbortController()
    const resolve = () => new Promise<never>(() => undefined)
    const attempt = failure(createDialer({ allow: [], resolve })('slow.example', 22, { signal: stop.signal }))
    stop.abort()
    expect((await attempt).code).to.equal('ABORTED')
    expect((await failure(createDialer({ allow: [] })('127.0.0.1', 22, { signal: stop.signal }))).code).to.equal(
      'ABORTED',
    )
  })

  it('names the entry that is not a network', () => {
    for (const wrong of ['10.0.0.0/33', 'office', '10.0.0.0/', '10.0.0.0/x']) {
      expect(() => createDialer({ allow: [wrong] }), wrong).to.throw(RangeError, wrong)
    }
  })
})
