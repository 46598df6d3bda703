import { expect } from 'chai'
import { startSharedApp, type SharedApp } from './shared-app.js'

describe('sharing', () => {
  let app: SharedApp
  beforeEach(async () => (app = await startSharedApp()))
  afterEach(() => app.close())

  const from = '/shared/new?path=%2Fs2%2Fdocs%2Fa+b.txt'

  it('is offered for files and for folders inside a server', async () => {
    const anna = await app.browser('anna')
    const href = '/shared/new?path=%2Fs2%2Fdocs'
    expect((await anna.get('/files/s2/docs/')).text)
      .to.include(`href="${href}"`)
      .and.include('?do=share')
    expect((await anna.get('/files/s2/docs/a%20b.txt')).text).to.include(`href="${href}%2Fa%20b.txt"`)
    expect((await anna.get('/files/s2/')).text).not.to.include('/shared/new')
    const asked = await anna.submit('/files/s2/docs/?do=share', { name: 'a b.txt' }, { from: '/files/s2/docs/' })
    expect(asked.path).to.equal(from)
    expect(asked.text).to.include('Share a b.txt')
  })

  it('tells who was chosen, until when, and keeps what was written', async () => {
    const anna = await app.browser('anna')
    const fields = { path: '/s2/docs/a b.txt', recipient: 'bob', endsAt: '2090-12-31', note: 'one\r\ntwo' }
    const refused = await anna.submit('/shared', { ...fields, recipient: 'nobody' }, { from })
    expect(refused.status).to.equal(422)
    expect(refused.text).to.include('is nobody whom you can share with').and.include('value="nobody"')
    const done = await anna.submit('/shared', fields, { from })
    expect(done.path).to.equal('/shared/by-me')
    expect(done.text).to.include('a b.txt is shared with bob.')
    expect((await app.shares.sharedWith(app.bob))[0]).to.deep.include({
      ...{ path: '/s2/docs/a b.txt', kind: 'file', note: 'one\ntwo', owner: 'anna' },
      endsAt: new Date('2090-12-31T23:59:59.999Z'),
    })
  })

  it('goes no further than the own tree', async () => {
    const anna = await app.browser('anna')
    for (const path of ['', 's2/docs', '/s2/../x', '/s2/%00']) {
      expect((await anna.get(`/shared/new?path=${encodeURIComponent(path)}`)).status, path).to.be.oneOf([400, 404])
    }
    expect((await anna.get('/shared/new?path=%2Fs2%2Fnone')).status).to.equal(404)
    const bob = await app.browser('bob')
    const fields = { path: '/s2/docs/a b.txt', recipient: 'anna', endsAt: '', note: '' }
    expect((await bob.submit('/shared', fields, { from: '/shared' })).status).to.equal(404)
    expect(await app.shares.list()).to.deep.equal([])
  })

  it('needs the token of the page', async () => {
    const anna = await app.browser('anna')
    const body = new URLSearchParams({ path: '/s2/docs/a b.txt', recipient: 'bob' }).toString()
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    expect((await anna.request('/shared', { method: 'POST', body, headers })).status).to.equal(403)
    expect(await app.shares.list()).to.deep.equal([])
  })
})
