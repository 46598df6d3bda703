import { expect } from 'chai'
import { bodyOf, discardBody, readBody } from '../../src/http/body.js'
import { signalOf } from '../../src/http/request-signal.js'
import { answerFor } from '../../src/http/status.js'
import { RawClient, serve, type TestServer } from '../support/http-server.js'

const LIMIT = 1000

describe('readBody', () => {
  let server: TestServer
  before(async () => {
    server = await serve(async (request, response) => {
      try {
        const body = await readBody(request, LIMIT, signalOf(request, response))
        response.end(`got ${body.length}`)
      } catch (error) {
        const { status } = answerFor(error)
        if (status === 499) return
        discardBody(request, response)
        response.writeHead(status).end()
      }
    })
  })
  after(() => server.stop())

  it('reads a body up to the limit, chunked or not', async () => {
    const post = (body: string | ReadableStream) => fetch(server.url, { method: 'POST', body, duplex: 'half' })
    expect(await (await post('x'.repeat(LIMIT))).text()).to.equal(`got ${LIMIT}`)
    expect(await (await post(new Blob(['x'.repeat(LIMIT)]).stream())).text()).to.equal(`got ${LIMIT}`)
    expect((await post(new Blob(['x'.repeat(LIMIT + 1)]).stream())).status).to.equal(413)
  })

  it('refuses an announced giant without reading, and closes', async () => {
    const client = await RawClient.open(server.port)
    client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n')
    await client.until('413')
    await client.until('Connection: close')
    client.socket.destroy()
  })

  it('gives an empty body where none was sent', async () => {
    expect(await (await fetch(server.url)).text()).to.equal('got 0')
  })
})

describe('bodyOf', () => {
  it('notices a body that was cut by itself, without a signal that tells', async () => {
    const { signal } = new AbortController()
    let settle: (error: unknown) => void
    const outcome = new Promise((resolve) => (settle = resolve))
    const server = await serve(async (request) => {
      try {
        for await (const chunk of bodyOf(request, { signal })) expect(chunk.toString()).to.equal('half')
        settle('ended')
      } catch (error) {
        settle(error)
      }
    })
    const client = await RawClient.open(server.port)
    client.send('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf')
    client.socket.end()
    expect(await outcome).to.include({ code: 'CLIENT_GONE' })
    await server.stop()
  })
})

describe('discardBody', () => {
  let server: TestServer
  before(async () => {
    server = await serve((request, response) => {
      discardBody(request, response)
      response.writeHead(401, { 'Content-Length': 0 }).end()
    })
  })
  after(() => server.stop())

  const answerTo = async (head: string) => {
    const client = await RawClient.open(server.port)
    client.send(`PUT / HTTP/1.1\r\nHost: x\r\n${head}\r\n`)
    await client.until('\r\n\r\n')
    client.socket.destroy()
    return client.text
  }

  it('does not wait for the body', async () => {
    expect(await answerTo('Content-Length: 500000000\r\n')).to.match(/^HTTP\/1.1 401 /)
    expect(await answerTo('Content-Length: 5\r\n')).to.match(/^HTTP\/1.1 401 /)
    expect(await answerTo('Transfer-Encoding: chunked\r\n')).to.match(/^HTTP\/1.1 401 /)
  })

  it('keeps the connection for a short body and gives it up for a long or unknown one', async () => {
    expect(await answerTo('Content-Length: 5\r\n')).not.to.contain('Connection: close')
    expect(await answerTo('')).not.to.contain('Connection: close')
    expect(await answerTo('Content-Length: 65537\r\n')).to.contain('Connection: close')
    expect(await answerTo('Transfer-Encoding: chunked\r\n')).to.contain('Connection: close')
    expect(await answerTo('Content-Length: 5\r\nExpect: 100-continue\r\n')).to.contain('Connection: close')
  })

  it('lets a client that goes on sending read the answer, and stops taking bytes soon', async () => {
    const client = await RawClient.open(server.port)
    client.send('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000000\r\n\r\n')
    const block = Buffer.alloc(1024 * 1024)
    let sent = 0
    const push = () => {
      while (!client.socket.destroyed && sent < 500) {
        sent++
        if (!client.socket.write(block)) break
      }
    }
    client.socket.on('drain', push)
    push()
    await client.closed
    expect(client.text).to.match(/^HTTP\/1.1 401 /)
    expect(sent).to.be.lessThan(100)
  })
})
