import { expect } from 'chai'
import { z } from 'zod'
import type { AuthenticatedUser } from '../../../src/auth/authenticate.js'
import { download, noContent, ok } from '../../../src/web/api/answers.js'
import { entityTag } from '../../../src/web/api/entity-tag.js'
import { idParams } from '../../../src/web/api/input-values.js'
import { operation } from '../../../src/web/api/operation.js'
import { paging } from '../../../src/web/api/page.js'
import { exchange } from '../../support/http-server.js'
import { loggedIn } from '../../support/logged-in.js'
import { ADMIN, ApiFixture, USER } from './api-fixture.js'

let stored = 'first'

const things = [
  operation({
    id: 'things.get',
    method: 'GET',
    path: '/things/{id}',
    summary: 'Get a thing',
    scope: 'account',
    params: idParams,
    query: z.strictObject({ ...paging }),
    etag: true,
    responses: { 200: { description: 'It.', body: z.object({ id: z.int(), text: z.string(), limit: z.int() }) } },
    handle: ({ params, query }) =>
      ok({ id: params.id, text: stored, limit: query.limit, secret: 'hidden' }, { etag: entityTag(stored) }),
  }),
  operation({
    id: 'things.replace',
    method: 'PUT',
    path: '/things/{id}',
    summary: 'Set a thing',
    scope: 'admin:write',
    params: idParams,
    body: z.strictObject({ text: z.string().max(9), number: z.number().optional() }),
    etag: true,
    responses: { 200: { description: 'It.', body: z.object({ text: z.string() }) } },
    handle: ({ body, match }) => {
      match(entityTag(stored))
      stored = body.text
      return ok({ text: stored })
    },
  }),
  operation({
    id: 'things.remove',
    method: 'DELETE',
    path: '/things/{id}',
    summary: 'Remove a thing',
    scope: 'any',
    params: idParams,
    responses: { 204: { description: 'Gone.' } },
    handle: () => noContent(),
  }),
  operation({
    id: 'things.export',
    method: 'GET',
    path: '/things/export',
    summary: 'Export things',
    scope: 'any',
    responses: { 200: { description: 'All.', stream: true, type: ['text/csv', 'application/json'] } },
    handle: () => download(lines(), { type: 'text/csv', filename: 'things.csv' }),
  }),
  operation({
    id: 'things.broken',
    method: 'GET',
    path: '/broken',
    summary: 'Answer what was not declared',
    scope: 'none',
    responses: { 200: { description: 'A number.', body: z.object({ number: z.int() }) } },
    handle: () => ok({ number: 'geheim' as unknown as number }),
  }),
]

async function* lines(): AsyncGenerator<string> {
  for (const line of ['a\r\n', 'b\r\n']) yield await Promise.resolve(line)
}

describe('the router of the API', () => {
  let api: ApiFixture

  before(async () => {
    api = await ApiFixture.start({ operations: things })
  })
  after(() => api.stop())
  beforeEach(() => {
    stored = 'first'
    api.session = undefined
    api.tokens.clear()
  })

  const token = (changes: Partial<AuthenticatedUser>): void => {
    const user = { userId: api.adminId, username: 'root', admin: true, authVersion: 1 }
    const credential = { id: 1, name: 'script' }
    api.tokens.set('abc', { ...user, via: 'api-token', credential, scopes: new Set(), ...changes })
  }
  const bearer = { as: 'nobody', headers: { Authorization: 'Bearer abc' } } as const

  describe('answers', () => {
    it('are JSON that is not kept, and hold nothing that was not declared', async () => {
      const reply = await api.send('GET', '/api/v1/things/7')
      expect(reply.status).to.equal(200)
      expect(reply.headers.get('content-type')).to.equal('application/json')
      expect(reply.headers.get('cache-control')).to.equal('no-store')
      expect(reply.json).to.deep.equal({ id: 7, text: 'first', limit: 50 })
    })

    it('are an error when they are not what was declared, and keep to themselves what it was', async () => {
      const reply = await api.send('GET', '/api/v1/broken')
      expect(reply.status).to.equal(500)
      expect(reply.json).to.include({ code: 'INTERNAL', detail: 'The gateway failed. The log has the details.' })
      expect(reply.text).not.to.include('geheim')
    })

    it('without content have none', async () => {
      const reply = await api.send('DELETE', '/api/v1/things/7')
      expect([reply.status, reply.text, reply.headers.get('content-type')]).to.deep.equal([204, '', null])
    })

    it('may be a stream with a file name', async () => {
      const reply = await api.send('GET', '/api/v1/things/export')
      expect([reply.status, reply.text]).to.deep.equal([200, 'a\r\nb\r\n'])
      expect(reply.headers.get('content-type')).to.equal('text/csv; charset=utf-8')
      expect(reply.headers.get('content-disposition')).to.match(/^attachment; filename="things.csv"/)
    })

    it('to HEAD have the headers alone', async () => {
      for (const path of ['/api/v1/things/7', '/api/v1/things/export']) {
        const [head, get] = [await api.send('HEAD', path), await api.send('GET', path)]
        expect([head.status, head.text]).to.deep.equal([200, ''])
        expect(head.headers.get('content-type')).to.equal(get.headers.get('content-type'))
      }
    })
  })

  describe('problems', () => {
    it('are told all at once, each with its field and its place', async () => {
      const reply = await api.send('PUT', '/api/v1/things/x?a=1', { body: { text: 'too long a text', id: 1 } })
      expect(reply.status).to.equal(400)
      expect(reply.headers.get('content-type')).to.equal('application/problem+json')
      expect(reply.json).to.include({ type: 'about:blank', title: 'Bad Request', status: 400, code: 'VALIDATION' })
      expect((reply.json as { requestId: string }).requestId).to.match(/\S+/)
      const { problems } = reply.json as { problems: { in: string; field: string }[] }
      expect(problems.map((problem) => `${problem.in} ${problem.field}`)).to.have.members([
        'path id',
        'query a',
        'body text',
        'body id',
      ])
    })

    it('are JSON for a browser as well', async () => {
      const reply = await api.send('GET', '/api/v1/nothing', { headers: { Accept: 'text/html' } })
      expect(reply.status).to.equal(404)
      expect(reply.json).to.include({ code: 'NOT_FOUND' })
    })

    it('of the method name those that there are', async () => {
      const reply = await api.send('PATCH', '/api/v1/things/7', { body: {} })
      expect([reply.status, reply.headers.get('allow')]).to.deep.equal([405, 'GET, HEAD, PUT, DELETE'])
      expect((await api.send('OPTIONS', '/api/v1/things/7')).headers.get('allow')).to.include('PUT')
    })

    const ids = ['0', '-1', '01x', '1%20OR%201=1', '9999999999999999999', '9007199254740993', '1e3', '%00']
    for (const id of ids) {
      it(`refuse the id ${id}`, async () => {
        const reply = await api.send('GET', `/api/v1/things/${id}`)
        expect(reply.status).to.equal(400)
        expect(reply.text).not.to.include('at Object')
      })
    }

    for (const query of ['limit=201', 'limit=0', 'limit=-1', 'limit=1&limit=2', 'limit[]=1', '__proto__=1', 'x']) {
      it(`refuse ?${query}`, async () => {
        expect((await api.send('GET', `/api/v1/things/7?${query}`)).status).to.equal(400)
      })
    }
  })

  describe('bodies', () => {
    const put = (body: string, type?: string, headers: Record<string, string> = {}) =>
      api.send('PUT', '/api/v1/things/7', { body, headers, ...(type !== undefined && { type }) })

    const refused: [what: string, status: number, body: string, type?: string][] = [
      ['bad JSON', 400, '{"text":'],
      ['an empty body', 400, ''],
      ['null', 400, 'null'],
      ['a list', 400, '[]'],
      ['__proto__', 400, '{"text":"a","__proto__":{"admin":true}}'],
      ['a name twice', 400, '{"text":"a","text":"b"}'],
      ['an infinite number', 400, '{"text":"a","number":1e400}'],
      ['10,000 levels', 400, '{"text":' + '['.repeat(10_000) + ']'.repeat(10_000) + '}'],
      ['a byte order mark', 400, '\ufeff{"text":"a"}'],
      ['text/plain', 415, '{"text":"a"}', 'text/plain'],
      ['a form', 415, 'text=a', 'application/x-www-form-urlencoded'],
      ['JSON in another charset', 415, '{"text":"a"}', 'application/json; charset=latin1'],
      ['something like JSON', 415, '{"text":"a"}', 'application/jsonp'],
      ['more than the limit', 413, JSON.stringify({ text: 'a'.repeat(101 * 1024) })],
    ]
    for (const [what, status, body, type] of refused) {
      it(`of ${what} get ${status}, and nothing changes`, async () => {
        const reply = await put(body, type)
        expect(reply.status).to.equal(status)
        expect(reply.headers.get('content-type')).to.equal('application/problem+json')
        expect(reply.text).not.to.match(/node_modules|\.ts:|\.js:/)
        expect(stored).to.equal('first')
      })
    }

    it('may name their charset', async () => {
      expect((await put('{"text":"ä"}', 'application/json; charset=UTF-8')).status).to.equal(200)
      expect(stored).to.equal('ä')
    })

    it('are refused when they are compressed', async () => {
      expect((await put('{"text":"a"}', undefined, { 'Content-Encoding': 'gzip' })).status).to.equal(415)
    })

    it('are refused where none is taken', async () => {
      const reply = await api.send('DELETE', '/api/v1/things/7', { body: {} })
      expect(reply.json).to.include({ status: 400, code: 'BODY_NOT_EXPECTED' })
    })

    it('above the limit are refused by their announced length', async () => {
      const basic = Buffer.from(`${ADMIN.username}:${ADMIN.password}`).toString('base64')
      const head = `PUT /api/v1/things/7 HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${basic}\r\n`
      const reply = await exchange(
        api.port,
        `${head}Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n`,
      )
      expect(reply).to.match(/^HTTP\/1\.1 413 /)
    })
  })

  describe('conditions', () => {
    it('give 304 while nothing has changed', async () => {
      const etag = (await api.send('GET', '/api/v1/things/7')).headers.get('etag') ?? ''
      const again = await api.send('GET', '/api/v1/things/7', { headers: { 'If-None-Match': etag } })
      expect([again.status, again.text]).to.deep.equal([304, ''])
    })

    it('give 412 when it has, and change nothing', async () => {
      const etag = (await api.send('GET', '/api/v1/things/7')).headers.get('etag') ?? ''
      const put = (text: string) =>
        api.send('PUT', '/api/v1/things/7', { body: { text }, headers: { 'If-Match': etag } })
      expect((await put('second')).status).to.equal(200)
      expect((await put('third')).json).to.include({ status: 412, code: 'PRECONDITION_FAILED' })
      expect(stored).to.equal('second')
    })

    it('are not demanded', async () => {
      expect((await api.send('PUT', '/api/v1/things/7', { body: { text: 'a' } })).status).to.equal(200)
    })
  })

  describe('callers', () => {
    it('without credentials get 401, and no browser asks for a password because of a script', async () => {
      const get = (header: string) =>
        exchange(api.port, `GET /api/v1/things/7 HTTP/1.1\r\nHost: x\r\n${header}Connection: close\r\n\r\n`)
      for (const header of ['', 'Sec-Fetch-Mode: navigate\r\n']) {
        expect(await get(header)).to.match(/^HTTP\/1\.1 401 [^]*www-authenticate: Bearer realm="FTPCluster", Basic /i)
      }
      for (const header of ['Sec-Fetch-Mode: cors', 'Cookie: sid=old', 'X-CSRF-Token: old']) {
        const reply = await get(`${header}\r\n`)
        expect(reply).to.match(/^HTTP\/1\.1 401 [^]*www-authenticate: Bearer realm="FTPCluster"\r\n/i)
      }
    })

    it('with a wrong password, an unknown token or an unknown scheme get 401', async () => {
      expect((await api.send('GET', '/api/v1/things/7', { as: { ...USER, password: 'wrong' } })).status).to.equal(401)
      for (const Authorization of ['Bearer none', 'Bearer', 'Digest x', 'Basic']) {
        const reply = await api.send('GET', '/api/v1/things/7', { as: 'nobody', headers: { Authorization } })
        expect(reply.status, Authorization).to.be.oneOf([400, 401])
      }
    })

    it('need the scope', async () => {
      expect((await api.send('GET', '/api/v1/things/7', { as: USER })).status).to.equal(200)
      const reply = await api.send('PUT', '/api/v1/things/7', { as: USER, body: { text: 'a' } })
      expect(reply.json).to.include({ status: 403, code: 'SCOPE_MISSING' })
      expect(stored).to.equal('first')
    })

    it('hear of a missing scope before anything about their input', async () => {
      expect((await api.send('PUT', '/api/v1/things/x', { as: USER, body: 'x' })).status).to.equal(403)
    })

    it('with a token have its scopes, and with one for some servers never those of an admin', async () => {
      const put = () => api.send('PUT', '/api/v1/things/7', { ...bearer, body: { text: 'a' } })
      token({ scopes: new Set(['admin:read']) })
      expect((await put()).status).to.equal(403)
      token({ scopes: new Set(['admin:write']) })
      expect((await put()).status).to.equal(200)
      token({ scopes: new Set(['admin:write']), servers: [1] })
      expect((await put()).status).to.equal(403)
    })

    it('with a token are not asked for a cookie, and a cookie does not help a wrong token', async () => {
      api.sessionOf(loggedIn({ userId: api.adminId, admin: true, via: 'session' }))
      const reply = await api.send('GET', '/api/v1/things/7', bearer)
      expect(reply.status).to.equal(401)
    })

    it('with a session may read, and change things only from one of our pages', async () => {
      api.sessionOf(loggedIn({ userId: api.adminId, admin: true, via: 'session' }))
      expect((await api.send('GET', '/api/v1/things/7', { as: 'nobody' })).status).to.equal(200)
      const put = (headers: Record<string, string>) =>
        api.send('PUT', '/api/v1/things/7', { as: 'nobody', body: { text: 'a' }, headers })
      expect((await put({})).status).to.equal(403)
      expect(stored).to.equal('first')
      expect((await put({ 'X-CSRF-Token': 'right' })).status).to.equal(200)
    })

    it('with a password that a browser adds by itself change nothing from another site', async () => {
      const basic = Buffer.from(`${ADMIN.username}:${ADMIN.password}`).toString('base64')
      const from = (site: string) =>
        exchange(
          api.port,
          `PUT /api/v1/things/7 HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${basic}\r\nSec-Fetch-Site: ${site}\r\n` +
            'Content-Type: application/json\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{"text":"a"}',
        )
      for (const site of ['cross-site', 'same-site']) expect(await from(site)).to.match(/^HTTP\/1\.1 403 /)
      expect(stored).to.equal('first')
      expect(await from('same-origin')).to.match(/^HTTP\/1\.1 200 /)
    })
  })

  it('slows nobody down but who asks too often', async () => {
    const busy = await ApiFixture.start({ operations: things, requestsPerMinute: 3 })
    try {
      for (let count = 0; count < 3; count++) expect((await busy.send('GET', '/api/v1/things/7')).status).to.equal(200)
      const reply = await busy.send('GET', '/api/v1/things/7')
      expect(reply.json).to.include({ status: 429, code: 'TOO_MANY_REQUESTS' })
      expect(Number(reply.headers.get('retry-after'))).to.be.within(1, 60)
      expect((await busy.send('GET', '/api/v1/things/7', { as: USER })).status).to.equal(200)
    } finally {
      await busy.stop()
    }
  })
})
