import { expect } from 'chai'
import { startFilesApp, type FilesApp } from './files-app.js'

const BYTES = { 'Content-Type': 'application/octet-stream' }

describe('an upload', () => {
  let app: FilesApp
  beforeEach(async () => {
    app = await startFilesApp()
    app.tree.add('/s1/old.txt', 'old')
  })
  afterEach(() => app.stop())

  it('is stored as it came', async () => {
    const body = Buffer.from([0, 1, 2, 255])
    const response = await app.send('PUT', '/files/s1/a%20b%23.bin', { headers: BYTES, body })
    expect([response.status, await response.json()]).to.deep.include.members([201])
    expect(app.tree.files.get('/s1/a b#.bin')).to.deep.equal(body)
  })

  it('keeps the time of the file', async () => {
    await app.send('PUT', '/files/s1/a', { headers: { ...BYTES, 'X-OC-Mtime': '1700000000' }, body: 'x' })
    expect(app.tree.lastWrite?.modified).to.equal(1_700_000_000_000)
  })

  it('replaces only when it was told to', async () => {
    const careful = { ...BYTES, 'If-None-Match': '*' }
    expect((await app.send('PUT', '/files/s1/old.txt', { headers: careful, body: 'new' })).status).to.equal(412)
    expect(app.tree.files.get('/s1/old.txt')?.toString()).to.equal('old')
    expect((await app.send('PUT', '/files/s1/old.txt', { headers: BYTES, body: 'new' })).status).to.equal(200)
    expect(app.tree.files.get('/s1/old.txt')?.toString()).to.equal('new')
  })

  it('needs the token of a page, from the same origin', async () => {
    const options = { headers: BYTES, body: 'x' }
    expect((await app.send('PUT', '/files/s1/a', { ...options, token: false })).status).to.equal(403)
    const foreign = { ...options, headers: { ...BYTES, Origin: 'https://evil.example' } }
    expect((await app.send('PUT', '/files/s1/a', foreign)).status).to.equal(403)
    expect(
      (await app.send('PUT', '/files/s1/a', { ...options, headers: { ...BYTES, 'Sec-Fetch-Site': 'cross-site' } }))
        .status,
    ).to.equal(403)
    expect(app.tree.files.has('/s1/a')).to.equal(false)
  })

  it('is never a form', async () => {
    for (const type of ['multipart/form-data; boundary=x', 'text/plain', 'application/x-www-form-urlencoded']) {
      expect((await app.send('PUT', '/files/s1/a', { headers: { 'Content-Type': type }, body: 'x' })).status).to.equal(
        415,
      )
    }
    expect(app.tree.files.has('/s1/a')).to.equal(false)
  })

  it('needs somebody who is logged in', async () => {
    app.visitor = undefined
    const response = await app.send('PUT', '/files/s1/a', { headers: BYTES, body: 'x', token: false })
    expect(response.status).to.be.oneOf([401, 403])
  })
})
