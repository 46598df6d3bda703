import { expect } from 'chai'
import type { IncomingMessage } from 'node:http'
import { receiveFile, type ReceiveFileOptions } from '../../src/http/receive-file.js'
import { signalOf } from '../../src/http/request-signal.js'
import { answerFor } from '../../src/http/status.js'
import { VfsError } from '../../src/vfs/errors.js'
import { FakeTree } from '../support/fake-tree.js'
import { exchange, RawClient, serve, type TestServer } from '../support/http-server.js'

const PATH = '/s/a.txt'
const OLD = 'old content'

describe('receiveFile', () => {
  let tree: FakeTree
  let server: TestServer
  let options: Partial<ReceiveFileOptions>
  let outcome: Promise<unknown>

  beforeEach(async () => {
    tree = new FakeTree().add(PATH, OLD)
    options = {}
    let settle: (result: unknown) => void
    outcome = new Promise((resolve) => (settle = resolve))
    server = await serve(async (request, response) => {
      const guard = { lockTokens: new Set<string>() }
      try {
        const call = { signal: signalOf(request, response) }
        const result = await receiveFile({ request, response, tree, path: PATH, guard, call, ...options })
        settle(result)
        response.writeHead(result.created ? 201 : 204).end()
      } catch (error) {
        settle(error)
        const answer = answerFor(error)
        if (answer.status === 499) return
        response.writeHead(answer.status, { 'Content-Length': answer.code.length }).end(answer.code)
      }
    })
  })
  afterEach(() => server.stop())

  const stored = () => tree.files.get(PATH)?.toString()
  const put = (head: string, body = '') =>
    exchange(server.port, `PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${head}\r\n${body}`)
  const chunked = (...parts: string[]) => parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')

  it('stores a body with a length, a chunked one and an empty one', async () => {
    expect(await put('Content-Length: 3\r\n', 'new')).to.contain('204')
    expect(stored()).to.equal('new')
    expect(tree.lastWrite?.size).to.equal(3)
    await put('Transfer-Encoding: chunked\r\n', chunked('ne', 'wer') + '0\r\n\r\n')
    expect(stored()).to.equal('newer')
    expect(tree.lastWrite?.size).to.equal(undefined)
    await put('Content-Length: 0\r\n')
    expect(stored()).to.equal('')
    await put('')
    expect(tree.lastWrite?.size).to.equal(0)
  })

  it('stores a large body whole', async () => {
    const body = Buffer.alloc(20_000_000, 'abcdefghij')
    const response = await fetch(server.url, { method: 'PUT', body })
    expect(response.status).to.equal(204)
    expect(tree.files.get(PATH)?.equals(body)).to.equal(true)
  })

  const refused: [what: string, head: string, body: string, status: number][] = [
    ['a part of a file', 'Content-Range: bytes 0-2/10\r\nContent-Length: 3\r\n', 'new', 400],
    ['an encoded file', 'Content-Encoding: gzip\r\nContent-Length: 3\r\n', 'new', 415],
    ['a wrong If-Match', 'If-Match: "other"\r\nContent-Length: 3\r\n', 'new', 412],
    ['If-None-Match: * on a file', 'If-None-Match: *\r\nContent-Length: 3\r\n', 'new', 412],
    [
      'fewer bytes than macOS announced',
      'Transfer-Encoding: chunked\r\nX-Expected-Entity-Length: 9\r\n',
      chunked('new') + '0\r\n\r\n',
      400,
    ],
    [
      'more bytes than macOS announced',
      'Transfer-Encoding: chunked\r\nX-Expected-Entity-Length: 2\r\n',
      chunked('new') + '0\r\n\r\n',
      400,
    ],
    ['an upload that a proxy emptied', 'X-Expected-Entity-Length: 9\r\nContent-Length: 0\r\n', '', 400],
    ['a garbled X-Expected-Entity-Length', 'X-Expected-Entity-Length: -1\r\nContent-Length: 3\r\n', 'new', 400],
    ['an impossible length', 'Content-Length: 99999999999999999\r\n', 'new', 413],
  ]
  for (const [what, head, body, status] of refused) {
    it(`refuses ${what} with ${status} and keeps the old file`, async () => {
      expect(await put(head, body)).to.match(new RegExp(`^HTTP/1.1 ${status} `))
      expect(stored()).to.equal(OLD)
    })
  }

  it('stops at the length that macOS announced although the last chunk never comes', async () => {
    const client = await RawClient.open(server.port)
    client.send('PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX-Expected-Entity-Length: 5\r\n\r\n')
    client.send(chunked('ne', 'wer'))
    await client.until('\r\n\r\n')
    expect(client.text).to.match(/^HTTP\/1.1 204 /)
    expect(client.text).to.contain('Connection: close')
    expect(stored()).to.equal('newer')
    client.socket.destroy()
  })

  for (const [what, head, body] of [
    ['a body with a length', 'Content-Length: 100\r\n', 'half'],
    ['a chunked body between chunks', 'Transfer-Encoding: chunked\r\n', chunked('half')],
    ['a chunked body within a chunk', 'Transfer-Encoding: chunked\r\n', '64\r\nhalf'],
  ] as const) {
    for (const how of ['FIN', 'RST'] as const) {
      it(`keeps the old file when ${what} is cut by ${how}`, async () => {
        const client = await RawClient.open(server.port)
        client.send(`PUT / HTTP/1.1\r\nHost: x\r\n${head}\r\n${body}`)
        if (how === 'FIN') client.socket.end()
        else setImmediate(() => client.socket.resetAndDestroy())
        expect(await outcome).to.include({ code: 'CLIENT_GONE' })
        expect(stored()).to.equal(OLD)
      })
    }
  }

  it('keeps the old file when a chunk size is no number', async () => {
    await put('Transfer-Encoding: chunked\r\n', 'zz\r\nnew\r\n0\r\n\r\n')
    expect(await outcome).to.include({ code: 'CLIENT_GONE' })
    expect(stored()).to.equal(OLD)
  })

  it('answers 408 and closes when the client falls silent', async () => {
    options = { idleMs: 30 }
    const client = await RawClient.open(server.port)
    client.send('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhalf')
    await client.until('CLIENT_IDLE')
    expect(client.text).to.match(/^HTTP\/1.1 408 /)
    expect(client.text).to.contain('Connection: close')
    expect(stored()).to.equal(OLD)
    client.socket.destroy()
  })

  it('asks a waiting client for the body only when it is wanted', async () => {
    const client = await RawClient.open(server.port)
    client.send('PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n')
    await client.until('100 Continue')
    client.send('new')
    await client.until('204')
    expect(stored()).to.equal('new')
    client.socket.destroy()
  })

  it('refuses a waiting client without asking for the body', async () => {
    const client = await RawClient.open(server.port)
    client.send('PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nIf-None-Match: *\r\nContent-Length: 3\r\n\r\n')
    await client.until('PRECONDITION_FAILED')
    expect(client.text).to.match(/^HTTP\/1.1 412 /)
    expect(client.text).to.contain('Connection: close')
    client.socket.destroy()
  })

  it('answers a refusal in the middle of an upload so that the sender can read it', async () => {
    tree.write = async (_path, source) => {
      for await (const chunk of source) if (chunk.length > 0) break
      throw new VfsError('TOO_LARGE', 'full')
    }
    const client = await RawClient.open(server.port)
    client.send('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n').send(Buffer.alloc(1_500_000))
    await client.until('TOO_LARGE')
    client.send(Buffer.alloc(1_500_000))
    await client.closed
    expect(client.text).to.match(/^HTTP\/1.1 507 /)
  })

  it('keeps the connection after it refused a short body', async () => {
    const client = await RawClient.open(server.port)
    client.send('PUT / HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\nContent-Length: 3\r\n\r\nnew')
    await client.until('PRECONDITION_FAILED')
    client.send('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nnew')
    await client.closed
    expect(client.text).to.contain('204 No Content')
  })

  const ocMtime = async (header: string) => {
    const text = await put(`X-OC-Mtime: ${header}\r\nContent-Length: 3\r\n`, 'new')
    return { accepted: text.includes('X-OC-MTime: accepted'), modified: tree.lastWrite?.modified }
  }

  it('passes on the modification time of X-OC-Mtime and says so', async () => {
    expect(await ocMtime('1700000000')).to.deep.equal({ accepted: true, modified: 1_700_000_000_000 })
    expect(await ocMtime('1700000000.25')).to.deep.equal({ accepted: true, modified: 1_700_000_000_250 })
  })

  it('ignores an X-OC-Mtime that is no time', async () => {
    expect(await ocMtime('soon')).to.deep.equal({ accepted: false, modified: undefined })
  })

  it('judges the guard of the caller after the preconditions of the request', async () => {
    options = {
      guard: {
        lockTokens: new Set(['t']),
        check: () => {
          throw new VfsError('LOCKED', 'locked')
        },
      },
    }
    expect(await put('Content-Length: 3\r\n', 'new')).to.contain('423')
    expect(await put('If-Match: "x"\r\nContent-Length: 3\r\n', 'new')).to.contain('412')
    expect([...(tree.lastWrite?.lockTokens ?? [])]).to.deep.equal(['t'])
  })

  it('leaves no listeners behind on a connection that lives on', async () => {
    const sockets = new Set<IncomingMessage['socket']>()
    server.server.on('request', (request: IncomingMessage) => void sockets.add(request.socket))
    const client = await RawClient.open(server.port)
    let baseline = 0
    for (let round = 1; round <= 20; round++) {
      client.received = Buffer.alloc(0)
      client.send('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nnew')
      await client.until('204 No Content')
      const [socket] = sockets
      const count = socket?.eventNames().reduce((sum, name) => sum + (socket?.listenerCount(name) ?? 0), 0) ?? 0
      if (round === 2) baseline = count
      if (round > 2) expect(count).to.equal(baseline)
    }
    expect(sockets.size).to.equal(1)
    client.socket.destroy()
  })
})
