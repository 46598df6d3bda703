import { expect } from 'chai'
import type { AuthResult } from '../../src/auth/authenticate.js'
import { StorageError } from '../../src/storage/errors.js'
import type { Tree } from '../../src/vfs/tree.js'
import { BrowserSession } from '../support/browser-session.js'
import { FakeTree } from '../support/fake-tree.js'
import { exchange } from '../support/http-server.js'
import { loggedIn } from '../support/logged-in.js'
import { startWebApp, type TestWebApp } from '../support/web-app.js'

const ANNA = loggedIn({ username: 'anna' })
const EVIL = `"><img src=x onerror=1>&amp;<%= 7*7 %>'.txt`

describe('web app', () => {
  let tree: FakeTree
  let server: TestWebApp
  let auth: AuthResult
  let unready: string | undefined

  beforeEach(async () => {
    tree = new FakeTree()
      .add('/s2/b.txt', 'bee')
      .add('/s2/a10.txt', 'x'.repeat(1536))
      .add('/s2/a9.txt', 'ay')
      .add('/s2/dir/x', '')
      .add(`/s2/evil/${EVIL}`, 'evil')
      .add('/s2/page.html', '<script>alert(1)</script>')
    auth = { ok: true, user: ANNA }
    unready = undefined
    server = await startWebApp(() => ({
      authenticate: (request) =>
        request.headers.authorization === undefined ? { ok: false, reason: 'missing' } : auth,
      treeFor: () => tree as FakeTree & Tree,
      unready: () => Promise.resolve(unready),
    }))
  })
  afterEach(() => server.close())

  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(server.url + path, { method, headers: { Authorization: 'Basic x', ...headers }, redirect: 'manual' })

  describe('/ftp', () => {
    it('asks for a password, cheaply', async () => {
      const response = await fetch(`${server.url}/ftp/anna/s2/b.txt`)
      expect(response.status).to.equal(401)
      expect(response.headers.get('www-authenticate')).to.equal('Basic realm="FTPCluster", charset="UTF-8"')
      expect(tree.reads).to.equal(0)
    })

    it('answers 429 with Retry-After after too many wrong passwords', async () => {
      auth = { ok: false, reason: 'throttled', retryAfterSeconds: 7.5 }
      const response = await get('/ftp/anna')
      expect([response.status, response.headers.get('retry-after')]).to.deep.equal([429, '8'])
    })

    it('answers 503 with Retry-After when too many log in at once', async () => {
      auth = { ok: false, reason: 'busy', retryAfterSeconds: 2 }
      const response = await get('/ftp/anna')
      expect([response.status, response.headers.get('retry-after')]).to.deep.equal([503, '2'])
    })

    it('sends a file as a download that no browser runs', async () => {
      const response = await get('/ftp/anna/s2/page.html')
      expect(response.status).to.equal(200)
      expect(await response.text()).to.equal('<script>alert(1)</script>')
      expect(response.headers.get('content-disposition')).to.match(/^attachment; filename="page.html"/)
      expect(response.headers.get('content-security-policy')).to.equal("sandbox; default-src 'none'")
      expect(response.headers.get('x-content-type-options')).to.equal('nosniff')
      expect(response.headers.get('cache-control')).to.equal('private, no-cache')
    })

    it('knows ranges and tags', async () => {
      const part = await get('/ftp/anna/s2/b.txt', { Range: 'bytes=1-1' })
      expect([part.status, await part.text()]).to.deep.equal([206, 'e'])
      const etag = (await get('/ftp/anna/s2/b.txt')).headers.get('etag') ?? ''
      expect((await get('/ftp/anna/s2/b.txt', { 'If-None-Match': etag })).status).to.equal(304)
      expect((await get('/ftp/anna/s2/b.txt', { Range: 'bytes=9-' })).status).to.equal(416)
    })

    it('answers HEAD without reading', async () => {
      const response = await get('/ftp/anna/s2/b.txt', {}, 'HEAD')
      expect(response.headers.get('content-length')).to.equal('3')
      expect(tree.reads).to.equal(0)
    })

    it('hides the paths of others, whether anything is there or not', async () => {
      for (const path of ['/ftp/bert', '/ftp/bert/s2/b.txt', '/ftp/Anna', '/ftp/bert/none']) {
        const response = await get(path, { Accept: 'application/json' })
        expect(response.status).to.equal(404)
        expect(await response.json()).to.include({ code: 'NO_SUCH_PATH' })
      }
    })

    it('refuses paths that climb or hide a slash', async () => {
      for (const path of ['/ftp/anna/..%2fbert/', '/ftp/anna/%2e%2e/', '/ftp/anna/%E0%A4%A', '/ftp/anna/s2/a%00b']) {
        const text = await exchange(
          server.port,
          `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: x\r\nConnection: close\r\n\r\n`,
        )
        expect(text).to.match(/^HTTP\/1.1 400 /)
      }
    })

    for (const path of ['/ftp', '/ftp/', '/ftp/anna', '/ftp/anna/']) {
      it(`lists the servers at ${path}, without a redirect`, async () => {
        const response = await get(path, { Accept: 'application/json' })
        expect(response.status).to.equal(200)
        expect(await response.json()).to.have.nested.property('entries[0].href', '/ftp/anna/s2/')
      })
    }

    it('gives a folder as JSON: folders first, names in natural order', async () => {
      const body = (await (await get('/ftp/anna/s2', { Accept: 'application/json' })).json()) as {
        path: string
        entries: { name: string }[]
      }
      expect(body.path).to.equal('/s2')
      expect(body.entries.map((entry) => entry.name)).to.deep.equal([
        'dir',
        'evil',
        'a9.txt',
        'a10.txt',
        'b.txt',
        'page.html',
      ])
      expect(body.entries[3]).to.deep.equal({
        name: 'a10.txt',
        type: 'file',
        size: 1536,
        modified: '2026-01-02T03:04:05.678Z',
        href: '/ftp/anna/s2/a10.txt',
      })
    })

    it('gives a folder as a page with sizes, dates and the way up', async () => {
      const response = await get('/ftp/anna/s2', { Accept: 'text/html' })
      expect(response.headers.get('content-type')).to.equal('text/html; charset=utf-8')
      const html = await response.text()
      expect(html).to.contain('1.5 KiB').and.contain('2026-01-02 03:04').and.contain('href="/ftp/anna/"')
      expect(html).to.contain('href="/ftp/anna/s2/dir/"')
    })

    it('shows any name as text and links to it', async () => {
      const html = await (await get('/ftp/anna/s2/evil', { Accept: 'text/html' })).text()
      expect(html).not.to.contain('<img')
      expect(html).not.to.contain('49')
      const href = /<td class="name"><a href="([^"]*)"/.exec(html)?.[1] ?? ''
      expect(await (await get(href.replaceAll('&#39;', "'").replaceAll('&amp;', '&'))).text()).to.equal('evil')
    })

    it('needs no inline script or style', async () => {
      const response = await get('/ftp/anna/s2', { Accept: 'text/html' })
      expect(await response.text()).not.to.match(/<script(?![^>]* src="\/assets\/)|<style|\sstyle=|\son\w+=/i)
      expect(response.headers.get('content-security-policy')).to.contain("default-src 'self'").and.not.contain('unsafe')
    })

    it('says that a server does not answer, never that its folder is empty', async () => {
      tree.failure = new StorageError('TIMED_OUT', 'ftp.internal:21 was silent')
      const response = await get('/ftp/anna/s2', { Accept: 'application/json' })
      expect(response.status).to.equal(504)
      expect(response.headers.get('content-type')).to.contain('application/problem+json')
      const problem = (await response.json()) as Record<string, unknown>
      expect(problem).to.include({ status: 504, code: 'TIMED_OUT', title: 'Gateway Timeout' })
      expect(problem['requestId']).to.equal(response.headers.get('x-request-id'))
      expect(JSON.stringify(problem)).not.to.contain('internal')
      expect(server.log.join('')).to.contain(String(problem['requestId'])).and.contain('ftp.internal:21 was silent')
    })

    it('gives browsers a page for an error', async () => {
      const html = await (await get('/ftp/anna/none', { Accept: 'text/html' })).text()
      expect(html).to.contain('>404<').and.contain('Not Found').and.contain('NOT_FOUND')
    })

    it('stores a file and deletes it', async () => {
      const put = await fetch(`${server.url}/ftp/anna/s2/new%20one.txt`, {
        method: 'PUT',
        headers: { Authorization: 'Basic x' },
        body: 'hello',
      })
      expect(put.status).to.equal(201)
      expect(tree.files.get('/s2/new one.txt')?.toString()).to.equal('hello')
      const stale = await get('/ftp/anna/s2/new%20one.txt', { 'If-Match': '"other"' }, 'DELETE')
      expect([stale.status, tree.files.has('/s2/new one.txt')]).to.deep.equal([412, true])
      expect((await get('/ftp/anna/s2/new%20one.txt', {}, 'DELETE')).status).to.equal(204)
      expect(tree.files.has('/s2/new one.txt')).to.equal(false)
    })

    it('changes nothing for a token that may only read, for another user, or for another site', async () => {
      for (const method of ['PUT', 'DELETE']) {
        expect((await get('/ftp/bert/s2/b.txt', {}, method)).status).to.equal(404)
        const foreign = await get('/ftp/anna/s2/b.txt', { 'Sec-Fetch-Site': 'cross-site' }, method)
        expect(foreign.status).to.equal(403)
        auth = { ok: true, user: { ...ANNA, scopes: new Set(['files:read']) } }
        const readOnly = await get('/ftp/anna/s2/b.txt', { Accept: 'application/json' }, method)
        expect([readOnly.status, await readOnly.json()]).to.have.nested.property('[1].code', 'SCOPE')
        auth = { ok: true, user: ANNA }
      }
      expect(tree.files.get('/s2/b.txt')?.toString()).to.equal('bee')
    })

    it('lets a session read and never change anything', async () => {
      await server.addUser('anna')
      const browser = await BrowserSession.loggedIn(server.url, 'anna')
      expect((await browser.get('/ftp/anna/s2/b.txt')).text).to.equal('bee')
      expect((await browser.get('/ftp/bert/s2/b.txt')).status).to.equal(404)
      for (const method of ['PUT', 'DELETE']) {
        expect((await browser.request('/ftp/anna/s2/b.txt', { method })).status).to.equal(401)
        const token = await browser.csrfToken('/ftp/anna/s2')
        const headers = { 'X-CSRF-Token': token }
        expect((await browser.request('/ftp/anna/s2/b.txt', { method, headers })).status).to.equal(401)
      }
      expect(tree.files.get('/s2/b.txt')?.toString()).to.equal('bee')
    })

    it('knows four methods', async () => {
      for (const method of ['POST', 'PROPFIND', 'PATCH']) {
        const response = await get('/ftp/anna/s2/b.txt', {}, method)
        expect([response.status, response.headers.get('allow')]).to.deep.equal([405, 'GET, HEAD, PUT, DELETE'])
      }
      expect((await get('/ftp/anna/s2/b.txt', { 'X-HTTP-Method-Override': 'DELETE' })).status).to.equal(200)
    })
  })

  it('sends who is not logged in to the login page', async () => {
    const response = await fetch(server.url, { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).to.deep.equal([303, '/login'])
  })

  it('escapes the host that a request names', async () => {
    const text = await exchange(server.port, 'GET / HTTP/1.1\r\nHost: x"><script>\r\nConnection: close\r\n\r\n')
    expect(text).not.to.contain('<script>')
  })

  it('tells that it lives, and whether it is ready', async () => {
    expect((await fetch(`${server.url}/healthz`)).status).to.equal(200)
    expect((await fetch(`${server.url}/readyz`)).status).to.equal(200)
    unready = 'the database cannot be read'
    const response = await fetch(`${server.url}/readyz`)
    expect([response.status, await response.json()]).to.deep.equal([503, { status: 'unready', reason: unready }])
  })

  it('serves the style sheets and nothing beside them', async () => {
    expect((await fetch(`${server.url}/assets/bootstrap/css/bootstrap.min.css`)).status).to.equal(200)
    expect((await fetch(`${server.url}/assets/ftpcluster.css`)).status).to.equal(200)
    expect((await fetch(`${server.url}/assets/bootstrap/..%2fpackage.json`)).status).to.be.oneOf([400, 403, 404])
    expect((await fetch(`${server.url}/assets/bootstrap/css/`)).status).to.equal(404)
  })

  it('survives options of the page engine in a query', async () => {
    const query = '?settings[view options][outputFunctionName]=x;process.exit()//&cache=&client=1'
    expect((await fetch(`${server.url}/${encodeURI(query)}`)).status).to.equal(200)
  })

  it('answers 404 elsewhere, with headers that protect', async () => {
    const response = await fetch(`${server.url}/none`)
    expect(response.status).to.equal(404)
    expect(Object.fromEntries(response.headers)).to.include({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'x-frame-options': 'DENY',
    })
    expect(response.headers.get('x-powered-by')).to.equal(null)
    expect(response.headers.get('strict-transport-security')).to.equal(null)
    expect(response.headers.get('access-control-allow-origin')).to.equal(null)
  })
})
