import { expect } from 'chai'
import { X509Certificate } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig, type Config } from '../src/config/config.js'
import { ValidationError } from '../src/errors.js'
import { streamText } from '../src/dav/stream-text.js'
import { createGateway, type Gateway, type GatewayOptions } from '../src/gateway.js'
import { discardBody, readBody } from '../src/http/body.js'
import { signalOf } from '../src/http/request-signal.js'
import { createLogger } from '../src/logger.js'
import { exchange, RawClient } from './support/http-server.js'

type Handler = GatewayOptions['web']

function echo(name: string): Handler {
  return (request: IncomingMessage, response: ServerResponse) => {
    discardBody(request, response)
    response.end(`${name} ${request.method} ${request.url}`)
  }
}

describe('gateway', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ftpcluster-gateway-'))
  const gateways: Gateway[] = []
  after(() => rmSync(folder, { recursive: true }))
  afterEach(async () => {
    await Promise.all(gateways.splice(0).map((gateway) => gateway.stop()))
  })

  async function start(
    env: NodeJS.ProcessEnv = {},
    handlers: Partial<Pick<GatewayOptions, 'dav' | 'web' | 'onRequest'>> = {},
  ) {
    const config: Config = loadConfig({
      FTPCLUSTER_HOST: '127.0.0.1',
      FTPCLUSTER_PORT: '0',
      FTPCLUSTER_DATA_DIR: folder,
      FTPCLUSTER_TIMEOUTS_DRAIN: '0s',
      ...env,
    })
    const lines: string[] = []
    const log = createLogger({ level: 'debug', destination: { write: (line: string) => void lines.push(line) } })
    const gateway = createGateway({ config, log, dav: echo('dav'), web: echo('web'), ...handlers })
    gateways.push(gateway)
    return { ...(await gateway.start()), gateway, lines, config }
  }

  const get = (port: number, line: string, headers = '') =>
    exchange(port, `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`)

  describe('routing', () => {
    const cases: [line: string, answer: string][] = [
      ['GET /dav', 'dav GET /dav'],
      ['GET /dav/s/a%20b?x=1', 'dav GET /dav/s/a%20b?x=1'],
      ['PROPFIND /dav/', 'dav PROPFIND /dav/'],
      ['GET //dav//s', 'dav GET //dav//s'],
      ['OPTIONS /', 'dav OPTIONS /'],
      ['PROPFIND /', 'dav PROPFIND /'],
      ['OPTIONS *', 'dav OPTIONS /'],
      ['GET /', 'web GET /'],
      ['HEAD /ftp/a', ''],
      ['GET /davos', 'web GET /davos'],
      ['GET /ftp/anna/s/a.txt', 'web GET /ftp/anna/s/a.txt'],
      ['GET http://example.com/dav/x?y', 'dav GET /dav/x?y'],
      ['GET http://example.com', 'web GET /'],
    ]
    for (const [line, answer] of cases) {
      it(`gives ${line} to ${answer.slice(0, 3) || 'web'}`, async () => {
        const { port } = await start()
        const text = await get(port, line)
        expect(text).to.match(/^HTTP\/1.1 200 /)
        expect(text.split('\r\n\r\n')[1]).to.contain(answer)
      })
    }
  })

  describe('requests that no library shall see', () => {
    let port: number
    const seen: string[] = []
    const watch: Handler = (request, response) => {
      seen.push(request.url ?? '')
      response.end('seen')
    }
    beforeEach(async () => {
      seen.length = 0
      ;({ port } = await start({}, { dav: watch, web: watch }))
    })

    const lines: [line: string, status: number][] = [
      ['GET /dav/%E0%A4%A', 400],
      ['GET /%zz', 400],
      ['GET /ftp/a/..%2f..%2fetc/passwd', 400],
      ['GET /dav/../x', 400],
      ['PUT /dav/a%00b', 400],
      ['PUT /dav/x%0d%0aDELE%20y', 400],
      ['DELETE /dav/a#b', 400],
      ['GET http://[::/', 400],
      ['GET http://user@host/', 400],
      ['GET ftp://host/', 400],
      ['GET x', 400],
      ['GET *', 400],
      ['TRACE /dav/', 405],
      [`GET /${'a/'.repeat(7000)}`, 414],
    ]
    for (const [line, status] of lines) {
      it(`answers ${line.slice(0, 40)} with ${status}`, async () => {
        expect(await get(port, line)).to.match(new RegExp(`^HTTP/1.1 ${status} `))
        expect(seen).to.deep.equal([])
      })
    }

    it('says with 405 what may be asked instead', async () => {
      expect(await get(port, 'TRACE /dav/x')).to.match(/\r\nAllow: .*PROPFIND/)
      expect(await get(port, 'TRACE /ftp/x')).to.match(/\r\nAllow: GET, HEAD\r\n/)
    })

    const raw: [what: string, data: string, status: number][] = [
      [
        'Content-Length and Transfer-Encoding',
        'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        400,
      ],
      ['two Content-Lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde', 400],
      ['an unknown Transfer-Encoding', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n', 400],
      ['line feeds alone', 'GET / HTTP/1.1\nHost: x\n\n', 400],
      ['a space before the colon', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n', 400],
      ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
      ['two Hosts', 'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n', 400],
      [
        'two Authorizations',
        'GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic a\r\nAuthorization: Bearer b\r\nConnection: close\r\n\r\n',
        400,
      ],
      ['two Depths', 'PROPFIND / HTTP/1.1\r\nHost: x\r\nDepth: 0\r\nDepth: 1\r\nConnection: close\r\n\r\n', 400],
      ['headers of 17 KB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`, 431],
      ['a raw carriage return in the target', 'GET /a\rb HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      ['a raw NUL in the target', 'GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      ['an unknown method', 'FOO / HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      ['a method in lower case', 'propfind / HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00', 400],
    ]
    for (const [what, data, status] of raw) {
      it(`answers ${what} with ${status} and closes`, async () => {
        const text = await exchange(port, data)
        expect(text).to.match(new RegExp(`^HTTP/1.1 ${status} `))
        expect(text).not.to.match(/HPE_|Parse|llhttp/)
        expect(seen).to.deep.equal([])
      })
    }

    it('closes on CONNECT', async () => {
      expect(await exchange(port, 'CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n')).to.equal('')
    })

    it('ignores an upgrade', async () => {
      const text = await get(port, 'GET /', 'Connection: upgrade\r\nUpgrade: h2c\r\n')
      expect(text).to.match(/^HTTP\/1.1 200 /)
    })

    it('answers pipelined requests in order', async () => {
      const count = 1000
      const requests = Array.from({ length: count }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: x\r\n\r\n`).join('')
      const client = await RawClient.open(port)
      client.send(requests)
      while (client.text.split('seen').length <= count) await once(client.socket, 'data')
      expect(seen).to.deep.equal(Array.from({ length: count }, (_, index) => `/${index}`))
      client.socket.destroy()
    })
  })

  it('is done with every pipelined request of a client that has left, those that had no turn included', async () => {
    const statuses: number[] = []
    const signals: AbortSignal[] = []
    const all = new EventEmitter()
    const { port } = await start(
      {},
      {
        web: (request, response) => {
          signals.push(signalOf(request, response))
          if (signals.length === 3) all.emit('there')
        },
        onRequest: ({ status }) => {
          statuses.push(status)
          if (statuses.length === 3) all.emit('over')
        },
      },
    )
    const [there, over] = [once(all, 'there'), once(all, 'over')]
    const client = await RawClient.open(port)
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3))
    await there
    client.socket.destroy()
    await over
    expect(statuses).to.deep.equal([499, 499, 499])
    expect(signals.map(({ aborted }) => aborted)).to.deep.equal([true, true, true])
  })

  it('does not mix an answer to garbage into a response that is under way', async () => {
    let finish: (() => void) | undefined
    const { port } = await start(
      {},
      {
        web: (_request, response) => {
          response.writeHead(200, { 'Content-Length': 10 })
          response.write('01234')
          finish = () => response.end('56789')
        },
      },
    )
    const client = await RawClient.open(port)
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.until('01234')
    client.send('garbage\r\n\r\n')
    await client.closed
    finish?.()
    expect(client.text).to.match(/01234$/)
  })

  it('closes a connection that sends nothing, or its headers too slowly', async () => {
    const { port } = await start({ FTPCLUSTER_TIMEOUTS_HEADERS: '200ms' })
    const silent = await RawClient.open(port)
    const slow = await RawClient.open(port)
    slow.send('GET / HTTP/1.1\r\nHo')
    await Promise.all([silent.closed, slow.closed])
    expect(slow.text).to.match(/^(HTTP\/1.1 408 |$)/)
  })

  it('closes a connection that asks for nothing more, after its time', async () => {
    const { port } = await start({ FTPCLUSTER_TIMEOUTS_KEEP_ALIVE: '1s' })
    const client = await RawClient.open(port)
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.until('web GET /')
    await client.closed
  })

  it('answers an unknown expectation with 417', async () => {
    const { port } = await start()
    expect(await get(port, 'PUT /dav/x', 'Expect: foo\r\nContent-Length: 3\r\n')).to.match(/^HTTP\/1.1 417 /)
  })

  it('says 100 Continue only when somebody wants the body', async () => {
    const reads: Handler = async (request, response) => {
      response.end(await readBody(request, 10, signalOf(request, response)))
    }
    const { port } = await start({}, { web: reads })
    const head = (path: string) =>
      `PUT ${path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n`
    const wanted = await RawClient.open(port)
    wanted.send(head('/x'))
    await wanted.until('HTTP/1.1 100 Continue')
    wanted.send('abc')
    await wanted.until('200 OK')
    const refused = await exchange(port, head('/dav/x'))
    expect(refused).to.match(/^HTTP\/1.1 200 OK/)
    wanted.socket.destroy()
  })

  it('answers 500 without detail when a handler fails, logs it under the id that the client got, and lives on', async () => {
    let failures = 0
    const { port, lines } = await start(
      {},
      {
        web: () => {
          failures++
          if (failures === 1) throw new Error('inner detail')
          return Promise.reject(new Error('inner detail'))
        },
      },
    )
    for (let round = 0; round < 2; round++) {
      const text = await get(port, 'GET /')
      expect(text).to.match(/^HTTP\/1.1 500 /)
      expect(text).not.to.contain('inner detail')
      const id = /X-Request-Id: ([0-9a-f]{16})/.exec(text)?.[1] ?? 'none'
      expect(lines.find((line) => line.includes(id))).to.contain('inner detail')
    }
  })

  it('destroys a response that fails half way', async () => {
    const { port } = await start(
      {},
      {
        web: (_request, response) => {
          response.writeHead(200, { 'Content-Length': 10 })
          response.write('01234')
          throw new Error('x')
        },
      },
    )
    expect(await get(port, 'GET /')).not.to.contain('500')
  })

  describe('a client that does not read', () => {
    const env = { FTPCLUSTER_DEADLINES_SEND_STALL: '100ms' }
    const text = 'x'.repeat(32 * 1024)
    const answers: Record<string, Handler> = {
      'a page': (_request, response) => response.end('x'.repeat(64 * 1024 * 1024)),
      'a listing': (request, response) =>
        streamText(
          response,
          200,
          Array.from({ length: 2048 }, () => text),
          signalOf(request, response),
        ),
    }
    for (const [what, answer] of Object.entries(answers)) {
      it(`is cut, with ${what} half sent, also behind another answer`, async () => {
        let closed: Promise<unknown> | undefined
        const web: Handler = (request, response) => {
          if (request.url === '/small') return response.end('small')
          closed = once(response, 'close')
          return answer(request, response)
        }
        const { port } = await start(env, { web })
        const client = await RawClient.open(port)
        client.send('GET /small HTTP/1.1\r\nHost: x\r\n\r\nGET /large HTTP/1.1\r\nHost: x\r\n\r\n')
        client.socket.pause()
        while (!closed) await new Promise(setImmediate)
        await closed
        client.socket.resume()
        await client.closed
        expect(client.received.length).to.be.below(64 * 1024 * 1024)
      })
    }

    it('is not one that waits for the gateway', async () => {
      const web: Handler = async (_request, response) => {
        response.write('first ')
        await once(response, 'timeout')
        response.end('last')
      }
      const { port } = await start(env, { web })
      expect(await get(port, 'GET /'))
        .to.contain('first ')
        .and.contain('last')
    })

    it('is not one that uploads', async () => {
      let silent: Promise<unknown> | undefined
      const dav: Handler = async (request, response) => {
        silent = once(response, 'timeout')
        response.end(await readBody(request, 10, signalOf(request, response)))
      }
      const { port } = await start(env, { dav })
      const client = await RawClient.open(port)
      client.send('PUT /dav/x HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc')
      while (!silent) await new Promise(setImmediate)
      await silent
      client.send('def')
      await client.until('abcdef')
      client.socket.destroy()
    })

    it('leaves nothing on a connection that lives on', async () => {
      const seen: unknown[] = []
      const web: Handler = (request, response) => {
        const { socket } = request
        response.once('close', () => {
          seen.push([socket.listenerCount('timeout'), (socket.timeout ?? 0) >= 60_000])
        })
        response.end(`done ${request.url}`)
      }
      const { port } = await start({ ...env, FTPCLUSTER_TIMEOUTS_KEEP_ALIVE: '60s' }, { web })
      const client = await RawClient.open(port)
      for (let round = 1; round <= 20; round++) {
        client.send(`GET /${round} HTTP/1.1\r\nHost: x\r\n\r\n`)
        await client.until(`done /${round}`)
        while (seen.length < round) await new Promise(setImmediate)
      }
      expect(seen).to.deep.equal(Array.from({ length: 20 }, () => [1, true]))
      client.socket.destroy()
    })
  })

  it('keeps queries out of the log', async () => {
    const { port, lines } = await start()
    await get(port, 'GET /a?token=hunter2')
    expect(lines.join('')).to.contain('"/a"').and.not.contain('hunter2')
  })

  it('bounds the connections of one address', async () => {
    const { port } = await start({ FTPCLUSTER_LIMITS_CONNECTIONS_PER_ADDRESS: '2' })
    const first = await RawClient.open(port)
    const second = await RawClient.open(port)
    const third = await RawClient.open(port)
    await third.closed
    first.socket.destroy()
    second.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await second.until('web GET /')
    second.socket.destroy()
  })

  it('does not count the connections of a trusted proxy', async () => {
    const { port } = await start({
      FTPCLUSTER_LIMITS_CONNECTIONS_PER_ADDRESS: '1',
      FTPCLUSTER_TRUST_PROXY: '127.0.0.0/8',
    })
    await RawClient.open(port)
    expect(await get(port, 'GET /')).to.contain('web GET /')
  })

  it('says which port is taken', async () => {
    const { port } = await start()
    const error = await start({ FTPCLUSTER_PORT: String(port) }).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error)
      .to.be.instanceOf(ValidationError)
      .with.property('message')
      .that.contains(`${port} on 127.0.0.1 is in use`)
  })

  describe('stop', () => {
    it('lets a running request end, closes idle connections at once, and refuses new requests', async () => {
      let release: (() => void) | undefined
      const { port, gateway } = await start(
        { FTPCLUSTER_TIMEOUTS_DRAIN: '1m' },
        {
          web: async (request, response) => {
            if (request.url === '/slow') await new Promise<void>((resolve) => (release = resolve))
            response.end('done')
          },
        },
      )
      const idle = await RawClient.open(port)
      idle.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      await idle.until('done')
      const busy = await RawClient.open(port)
      busy.send('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
      while (!release) await new Promise(setImmediate)
      const stopped = gateway.stop()
      await idle.closed
      busy.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      release()
      await busy.until('done')
      expect(busy.text).to.contain('Connection: close')
      await stopped
    })

    it('cuts what runs longer than the drain time', async () => {
      let arrived: () => void
      const waiting = new Promise<void>((resolve) => (arrived = resolve))
      const web = () => {
        arrived()
        return new Promise(() => undefined)
      }
      const { port, gateway } = await start({ FTPCLUSTER_TIMEOUTS_DRAIN: '50ms' }, { web })
      const client = await RawClient.open(port)
      client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      await waiting
      await gateway.stop()
      await client.closed
      expect(client.text).to.equal('')
    })

    it('can be called before start, and twice', async () => {
      const { gateway } = await start()
      await Promise.all([gateway.stop(), gateway.stop()])
      await gateway.stop()
    })
  })

  describe('TLS', () => {
    const secureGet = (port: number, ca: string, servername = 'localhost') =>
      new Promise<string>((resolve, reject) => {
        httpsRequest({ port, host: '127.0.0.1', servername, ca, agent: false }, (response) => {
          response.setEncoding('utf8').on('data', resolve)
        })
          .on('error', reject)
          .end()
      })

    it('makes a certificate once, for every name of the gateway, with a private key of mode 0600', async () => {
      const env = { FTPCLUSTER_TLS: 'self-signed', FTPCLUSTER_PUBLIC_URL: 'https://drive.example.com' }
      const first = await start(env)
      expect(first.url).to.equal(`https://127.0.0.1:${first.port}`)
      const pem = readFileSync(join(folder, 'tls-cert.pem'), 'utf8')
      expect(await secureGet(first.port, pem)).to.equal('web GET /')
      expect(await secureGet(first.port, pem, 'drive.example.com')).to.equal('web GET /')
      expect(statSync(join(folder, 'tls-key.pem')).mode & 0o777).to.equal(0o600)
      const certificate = new X509Certificate(pem)
      expect(certificate.checkIP('127.0.0.1')).to.equal('127.0.0.1')
      expect(first.fingerprint).to.equal(certificate.fingerprint256)
      const second = await start(env)
      expect(second.fingerprint).to.equal(first.fingerprint)
      const renamed = await start({ ...env, FTPCLUSTER_PUBLIC_URL: 'https://other.example.com' })
      expect(renamed.fingerprint).not.to.equal(first.fingerprint)
    })

    it('takes the admin’s own files, and names the option when they do not fit', async () => {
      const { config } = await start({ FTPCLUSTER_TLS: 'self-signed' })
      const cert = join(folder, 'own-cert.pem')
      const key = join(folder, 'own-key.pem')
      writeFileSync(cert, readFileSync(join(config.dataDir, 'tls-cert.pem')))
      writeFileSync(key, readFileSync(join(config.dataDir, 'tls-key.pem')))
      chmodSync(key, 0o600)
      const env = { FTPCLUSTER_TLS: 'files', FTPCLUSTER_TLS_CERT: cert, FTPCLUSTER_TLS_KEY: key }
      const { port } = await start(env)
      expect(await secureGet(port, readFileSync(cert, 'utf8'))).to.equal('web GET /')

      writeFileSync(key, 'no key')
      const error = await start(env).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(error).to.be.instanceOf(ValidationError).with.nested.property('problems[0].field', 'tlsKey')
    })
  })
})
