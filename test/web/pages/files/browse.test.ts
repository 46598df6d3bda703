import { expect } from 'chai'
import { StorageError } from '../../../../src/storage/errors.js'
import { startFilesApp, type FilesApp } from './files-app.js'

const EVIL = `"><img src=x onerror=1><script>&amp;<%= 7*7 %>'.txt`
const PAGE = { headers: { Accept: 'text/html' } }

describe('the page of a folder', () => {
  let app: FilesApp
  beforeEach(async () => {
    app = await startFilesApp()
    app.tree.add('/s1/docs/b.txt', 'x'.repeat(1536)).add('/s1/docs/a10.txt', '').add('/s1/docs/a9.txt', 'y')
    app.tree.add('/s1/docs/sub/c', '').add(`/s1/evil/${EVIL}`, 'evil').add('/ro/x.txt', 'x')
  })
  afterEach(() => app.stop())

  const pageOf = async (path: string) => (await app.send('GET', path, PAGE)).text()
  const names = (html: string) => [...html.matchAll(/name="name" value="([^"]*)"/g)].map((match) => match[1])

  it('sends who is not logged in to the login page and back', async () => {
    app.visitor = undefined
    const response = await app.send('GET', '/files/s1/docs/', PAGE)
    expect([response.status, response.headers.get('location')]).to.deep.equal([
      303,
      '/login?next=%2Ffiles%2Fs1%2Fdocs%2F',
    ])
    expect((await app.send('GET', '/files/s1/docs/')).status).to.equal(401)
  })

  it('shows folders first and names in natural order, with sizes and the way up', async () => {
    const html = await pageOf('/files/s1/docs/')
    expect(names(html)).to.deep.equal(['sub', 'a9.txt', 'a10.txt', 'b.txt'])
    expect(html).to.contain('1.5 KiB').and.contain('href="/files/s1/"').and.contain('href="/files/s1/docs/sub/"')
  })

  it('sorts and filters without a script', async () => {
    expect(names(await pageOf('/files/s1/docs/?sort=size&order=desc'))).to.deep.equal([
      'sub',
      'b.txt',
      'a9.txt',
      'a10.txt',
    ])
    expect(names(await pageOf('/files/s1/docs/?filter=A1'))).to.deep.equal(['a10.txt'])
    expect(await pageOf('/files/s1/docs/?filter=zzz')).to.contain('No name here holds “zzz”')
    expect((await app.send('GET', '/files/s1/docs/?sort=evil&page=-1&order=x', PAGE)).status).to.equal(200)
  })

  it('has pages of 500 rows without a script, and all rows for the script', async () => {
    for (let number = 0; number < 1200; number++) app.tree.add(`/s1/many/f${number}`, '')
    const html = await pageOf('/files/s1/many/?page=3')
    expect(names(html)).to.have.length(200)
    const data = /id="folder-data">([^<]*)</.exec(html)?.[1] ?? ''
    expect((JSON.parse(data) as { entries: unknown[] }).entries).to.have.length(1200)
  })

  it('gives the script rows without words', async () => {
    const body = (await (await app.send('GET', '/files/s1/docs/')).json()) as { entries: unknown[] }
    expect(body).to.deep.include({ path: '/s1/docs', access: 'read-write' })
    expect(body.entries[3]).to.deep.equal(['b.txt', 'text', 1536, Date.UTC(2026, 0, 2, 3, 4, 5, 678), 0])
  })

  it('shows any name as text', async () => {
    const html = await pageOf('/files/s1/evil/')
    expect(html).to.contain('&lt;%= 7*7').and.not.contain('<img src=x')
    expect(html).not.to.match(/<script(?![^>]* (src|type="application\/json"))|<style|\sstyle=|\son\w+=["']/i)
    const page = await pageOf(`/files/s1/evil/${encodeURIComponent(EVIL)}`)
    expect(page).to.contain('&lt;img').and.not.to.contain('<img src=x')
  })

  it('offers nothing in a read-only folder that would be refused', async () => {
    const html = await pageOf('/files/ro/')
    expect(html).to.contain('read-only').and.contain('?do=copy').and.contain('?do=zip')
    for (const word of ['?do=delete', '?do=rename', '?do=move', 'create-folder', 'upload-files']) {
      expect(html).not.to.contain(word)
    }
  })

  it('says that a server is down, never that its folder is empty', async () => {
    app.tree.failure = new StorageError('UNREACHABLE', 'ftp.internal:21 refused')
    const response = await app.send('GET', '/files/s1/docs/', PAGE)
    const html = await response.text()
    expect(response.status).to.equal(502)
    expect(html).to.contain('This server does not answer').and.contain('Try again').and.not.contain('internal')
  })

  it('explains a rejected login and a folder that is gone', async () => {
    app.tree.failure = new StorageError('LOGIN_REJECTED', '530')
    expect(await pageOf('/files/s1/')).to.contain('The server refused your login')
    app.tree.failure = undefined
    const gone = await app.send('GET', '/files/s1/none/', PAGE)
    expect([gone.status, await gone.text()]).to.satisfy(
      ([status, html]: [number, string]) => status === 404 && html.includes('Nothing is here any more'),
    )
  })

  it('refuses paths that climb', async () => {
    for (const path of ['/files/s1/..%2fx', '/files/%2e%2e%2f', '/files/s1/%E0%A4%A', '/files/s1/a%00b']) {
      expect((await app.send('GET', path)).status).to.equal(400)
    }
  })
})

describe('the page of a file', () => {
  let app: FilesApp
  beforeEach(async () => {
    app = await startFilesApp()
    app.tree.add('/s1/a.html', '<script>alert(1)</script>').add('/s1/a.svg', '<svg onload="alert(1)"/>')
    app.tree
      .add('/s1/a.png', 'png')
      .add('/s1/long.txt', 'z'.repeat(300_000))
      .add('/s1/zero.txt', Buffer.from([0, 1]))
  })
  afterEach(() => app.stop())

  it('shows text as text', async () => {
    const html = await (await app.send('GET', '/files/s1/a.html', PAGE)).text()
    expect(html).to.contain('&lt;script&gt;alert(1)').and.not.contain('<script>alert')
  })

  it('shows the beginning of a long text, and no bytes of what is none', async () => {
    expect(await (await app.send('GET', '/files/s1/long.txt', PAGE)).text()).to.contain('Only the beginning is shown')
    expect(await (await app.send('GET', '/files/s1/zero.txt', PAGE)).text()).to.contain('no preview')
  })

  it('lets a browser show images, and hands out everything else as a download that nobody runs', async () => {
    const image = await app.send('GET', '/files/s1/a.png?inline')
    expect(image.headers.get('content-disposition')).to.match(/^inline/)
    expect(image.headers.get('content-type')).to.equal('image/png')
    for (const path of ['/files/s1/a.html?inline', '/files/s1/a.svg?inline', '/files/s1/a.png?download']) {
      const response = await app.send('GET', path)
      expect(response.headers.get('content-disposition')).to.match(/^attachment/)
      expect(response.headers.get('content-security-policy')).to.equal("sandbox; default-src 'none'")
      expect(response.headers.get('x-content-type-options')).to.equal('nosniff')
    }
  })

  it('sends a part when asked for one', async () => {
    const response = await app.send('GET', '/files/s1/a.png?download', { headers: { Range: 'bytes=1-1' } })
    expect([response.status, await response.text()]).to.deep.equal([206, 'n'])
  })
})
