import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { signalOf } from '../../src/http/request-signal.js'
import { sendFile, type SendFileOptions } from '../../src/http/send-file.js'
import { answerFor } from '../../src/http/status.js'
import { StorageError } from '../../src/storage/errors.js'
import { FakeTree } from '../support/fake-tree.js'
import { exchange, RawClient, serve, type TestServer } from '../support/http-server.js'

const PATH = '/s/a.txt'

describe('sendFile', () => {
  let tree: FakeTree
  let server: TestServer
  let options: Partial<SendFileOptions>
  let outcome: Promise<unknown>
  let current: ServerResponse | undefined
  let settle: (error?: unknown) => void

  beforeEach(async () => {
    tree = new FakeTree().add(PATH, 'The quick brown fox')
    options = {}
    outcome = new Promise((resolve) => (settle = resolve))
    server = await serve(async (request, response) => {
      current = response
      const call = { signal: signalOf(request, response) }
      try {
        const node = await tree.stat(PATH)
        await sendFile({ request, response, tree, node, call, ...options })
        settle()
      } catch (error) {
        settle(error)
        if (response.headersSent) return
        const answer = answerFor(error)
        response.writeHead(answer.status, answer.headers).end(answer.code)
      }
    })
  })
  afterEach(() => server.stop())

  const get = (headers: Record<string, string> = {}, method = 'GET') => fetch(server.url, { method, headers })

  it('sends the file with its length, tag, date and headers that make it harmless', async () => {
    const response = await get()
    expect(response.status).to.equal(200)
    expect(await response.text()).to.equal('The quick brown fox')
    expect(Object.fromEntries(response.headers)).to.include({
      'content-length': '19',
      'content-type': 'text/plain',
      etag: '"19-1"',
      'last-modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
      'accept-ranges': 'bytes',
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'private, no-cache',
    })
  })

  it('answers HEAD with the same headers and asks the server for nothing', async () => {
    const ofGet = await get()
    const reads = tree.reads
    const response = await get({}, 'HEAD')
    const lasting = ({ headers }: Response) =>
      [...headers].filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name))
    expect(lasting(response)).to.deep.equal(lasting(ofGet))
    expect(tree.reads).to.equal(reads)
  })

  it('sends one range with 206', async () => {
    const response = await get({ Range: 'bytes=4-8' })
    expect(response.status).to.equal(206)
    expect(response.headers.get('content-range')).to.equal('bytes 4-8/19')
    expect(response.headers.get('content-length')).to.equal('5')
    expect(await response.text()).to.equal('quick')
  })

  it('answers 416 with the size where the range holds nothing', async () => {
    const response = await get({ Range: 'bytes=19-' })
    expect(response.status).to.equal(416)
    expect(response.headers.get('content-range')).to.equal('bytes */19')
    expect(tree.reads).to.equal(0)
  })

  it('sends the whole file for a range of another version', async () => {
    const response = await get({ Range: 'bytes=4-8', 'If-Range': '"other"' })
    expect(response.status).to.equal(200)
    expect(await response.text()).to.equal('The quick brown fox')
  })

  it('answers 304 with the tag and without a body for a file the client has', async () => {
    const response = await get({ 'If-None-Match': '"19-1"' })
    expect(response.status).to.equal(304)
    expect(response.headers.get('etag')).to.equal('"19-1"')
    expect(response.headers.get('content-type')).to.equal(null)
    expect(tree.reads).to.equal(0)
  })

  it('sends an empty file without asking the server', async () => {
    tree.add(PATH, '')
    const response = await get({ Range: 'bytes=-5' })
    expect([response.status, response.headers.get('content-length'), await response.text()]).to.deep.equal([
      200,
      '0',
      '',
    ])
    expect(tree.reads).to.equal(0)
  })

  it('names the download in ASCII and in UTF-8', async () => {
    options = { disposition: 'attachment', node: { ...(await tree.stat(PATH)), name: 'na\u00efve "x"\r\n\'.html' } }
    const response = await get()
    expect(response.headers.get('content-disposition')).to.equal(
      `attachment; filename="na_ve _x___'.html"; filename*=UTF-8''na%C3%AFve%20%22x%22%0D%0A%27.html`,
    )
  })

  it('keeps a clean status for an error before the first byte', async () => {
    tree.onRead = () => Promise.reject(new StorageError('TIMED_OUT', 'x'))
    const response = await get()
    expect(response.status).to.equal(504)
    expect(response.headers.get('content-length')).not.to.equal('19')
    expect(response.headers.get('etag')).to.equal(null)
  })

  for (const [what, read] of [
    ['fails', () => Promise.reject(new StorageError('CONNECTION_LOST', 'x'))],
    ['ends', () => Promise.resolve()],
  ] as const) {
    it(`never ends cleanly when the source ${what} half way`, async () => {
      tree.onRead = async (_range, sink) => {
        await sink(Buffer.from('The quick'))
        return read()
      }
      const text = await exchange(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      expect(text).to.match(/^HTTP\/1.1 200 OK\r\n/)
      expect(text)
        .to.contain('Content-Length: 19\r\n')
        .and.match(/\r\n\r\nThe quick$/)
      expect(await outcome).to.be.instanceOf(Error)
    })
  }

  it('never sends more than it announced', async () => {
    tree.onRead = async (_range, sink) => {
      await sink(Buffer.from('The quick brown fox'))
      await sink(Buffer.from('HTTP/1.1 200 OK'))
    }
    const text = await exchange(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(text).to.match(/\r\n\r\nThe quick brown fox$/)
  })

  it('gives a chunk back only after it left, so that its buffer can be used again', async () => {
    const size = 8 * 1024 * 1024
    const hash = createHash('sha256')
    tree.add(PATH, Buffer.alloc(size))
    tree.onRead = async (_range, sink) => {
      const chunk = Buffer.alloc(64 * 1024)
      for (let sent = 0; sent < size; sent += chunk.length) {
        chunk.fill(sent / chunk.length)
        hash.update(chunk)
        await sink(chunk)
      }
    }
    const body = Buffer.from(await (await get()).arrayBuffer())
    expect(body.length).to.equal(size)
    expect(createHash('sha256').update(body).digest('hex')).to.equal(hash.digest('hex'))
  })

  it('stops the source when the client goes', async () => {
    tree.add(PATH, Buffer.alloc(1e6))
    tree.onRead = async (_range, sink, call) => {
      await sink(Buffer.alloc(10))
      await once(call.signal, 'abort')
      throw new StorageError('ABORTED', 'x')
    }
    const client = await RawClient.open(server.port)
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.until('\r\n\r\n\0')
    client.socket.resetAndDestroy()
    expect(await outcome).to.include({ code: 'ABORTED' })
  })

  it('gives up when the connection is cut while the client does not read, and holds no more than a chunk for it', async () => {
    const size = 64 * 1024 * 1024
    tree.add(PATH, Buffer.alloc(size))
    let chunks = 0
    let stuck: (() => void) | undefined
    const isStuck = new Promise<void>((resolve) => (stuck = resolve))
    tree.onRead = async (_range, sink) => {
      chunks++
      const sent = sink(Buffer.alloc(size))
      stuck?.()
      await sent
      chunks++
    }
    const client = await RawClient.open(server.port)
    client.socket.pause()
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await isStuck
    current?.socket?.destroy()
    expect(await outcome).to.include({ code: 'CLIENT_GONE' })
    expect(chunks).to.equal(1)
    client.socket.destroy()
  })

  it('lets the next request in when the client has everything, though the server is not done yet', async () => {
    let end: (() => void) | undefined
    const isDone = new Promise<void>((resolve) => (end = resolve))
    tree.onRead = async (_range, sink) => {
      await sink(Buffer.from('The quick brown fox'))
      await isDone
    }
    const client = await RawClient.open(server.port)
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.until('brown fox')
    client.send('HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await client.closed
    end?.()
    expect(client.text.match(/HTTP\/1.1 200 OK/g)).to.have.length(2)
  })

  it('serves the next request on the same connection', async () => {
    const client = await RawClient.open(server.port)
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.until('brown fox')
    client.send('HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await client.closed
    expect(client.text.match(/HTTP\/1.1 200 OK/g)).to.have.length(2)
  })
})
