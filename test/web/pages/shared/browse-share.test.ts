import { expect } from 'chai'
import { StorageError } from '../../../../src/storage/errors.js'
import type { BrowserSession } from '../../../support/browser-session.js'
import { actor } from '../../../support/services.js'
import { startSharedApp, type SharedApp } from './shared-app.js'

describe('what is shared', () => {
  let app: SharedApp
  let bob: BrowserSession
  let folder: number
  let file: number

  beforeEach(async () => {
    app = await startSharedApp()
    folder = await app.share('/s2/docs', 'directory')
    file = await app.share('/s2/docs/a b.txt', 'file')
    bob = await app.browser('bob')
  })
  afterEach(() => app.close())

  it('is a folder to browse, and says nothing of where its owner keeps it', async () => {
    const { status, text } = await bob.get(`/shared/${folder}/`)
    expect(status).to.equal(200)
    expect(text).to.include(`href="/shared/${folder}/a%20b.txt"`).and.include(`href="/shared/${folder}/sub/"`)
    expect(text).to.include('from anna').and.include('read-only')
    expect(text).not.to.include('/s2')
    for (const word of ['?do=delete', '?do=rename', '?do=move', '?do=copy', '?do=share', 'upload-files']) {
      expect(text).not.to.include(word)
    }
    const json = await bob.get(`/shared/${folder}/sub/`, { headers: { Accept: 'application/json' } })
    expect(JSON.parse(json.text)).to.deep.include({ path: '/docs/sub', access: 'read-only' })
  })

  it('is a file to look at and to download, whole or in part', async () => {
    const page = await bob.get(`/shared/${file}`)
    expect(page.text).to.include('>hello</pre>').and.include('href="/shared"').and.not.include('/s2')
    const whole = await bob.get(`/shared/${file}?download`)
    expect(whole.text).to.equal('hello')
    expect(whole.headers.get('content-disposition')).to.match(/^attachment; filename="a b.txt"/)
    expect(whole.headers.get('content-security-policy')).to.equal("sandbox; default-src 'none'")
    const part = await bob.get(`/shared/${folder}/a%20b.txt?download`, { headers: { Range: 'bytes=1-2' } })
    expect([part.status, part.text]).to.deep.equal([206, 'el'])
  })

  it('is a ZIP, whole or of what is ticked', async () => {
    const whole = await bob.get(`/shared/${folder}/?zip`)
    expect(whole.headers.get('content-disposition')).to.include('docs.zip')
    expect(whole.text).to.include('docs/sub/deep.txt').and.include('hello')
    const from = `/shared/${folder}/`
    const ticked = await bob.submit(`${from}?do=zip`, { name: 'sub' }, { from })
    expect(ticked.text).to.include('sub/deep.txt').and.not.include('hello')
    expect((await bob.submit(`${from}?do=delete`, { name: 'sub' }, { from })).status).to.equal(400)
    expect((await bob.submit(`${from}?do=zip`, { name: '..' }, { from })).status).to.equal(400)
  })

  it('ends where it was shared', async () => {
    for (const path of [`${folder}/../private.txt`, `${folder}/%2e%2e/private.txt`, `${folder}/..%2fprivate.txt`]) {
      expect((await bob.get(`/shared/${path}`)).text, path).not.to.include('private')
    }
    expect((await bob.get(`/shared/${folder}/..%2fprivate.txt`)).status).to.equal(400)
    expect((await bob.get(`/shared/${file}/x`)).status).to.equal(404)
    expect((await bob.get('/shared/x')).status).to.equal(404)
  })

  it('is there for nobody else: not for other users, admins, or who shares it', async () => {
    const answers = await Promise.all(
      ['root', 'anna'].map(async (name) => (await app.browser(name)).get(`/shared/${folder}/`)),
    )
    const never = await bob.get('/shared/999999/')
    for (const { status, text } of answers) {
      expect(status).to.equal(404)
      expect(text).to.include('There is no such share').and.not.include('deep')
    }
    expect([never.status, never.text.includes('There is no such share')]).to.deep.equal([404, true])
  })

  it('needs a login, and is not to be had with a token', async () => {
    const bare = await fetch(`${app.url}/shared/${folder}/`, { redirect: 'manual', headers: { Accept: 'text/html' } })
    expect(bare.status).to.equal(303)
    const { secret } = await app.apiTokens.create(app.bob, { name: 'x', scopes: ['files:read'] }, actor)
    const withToken = await fetch(`${app.url}/shared/${file}?download`, {
      headers: { Authorization: `Bearer ${secret}` },
    })
    expect(withToken.status).to.equal(401)
  })

  it('is gone at once when the share ends, or the permission that it runs through', async () => {
    const ask = async (id: number) => (await bob.get(`/shared/${id}`)).status
    expect([await ask(file), await ask(folder)]).to.deep.equal([200, 200])
    await app.shares.end(file, app.anna, actor)
    expect([await ask(file), await ask(folder)]).to.deep.equal([404, 200])
    await app.permissions.update(app.permissionId, { root: 'elsewhere' }, actor)
    expect(await ask(folder)).to.equal(404)
    await app.permissions.update(app.permissionId, { root: null }, actor)
    expect(await ask(folder)).to.equal(200)
    await app.permissions.revoke(app.permissionId, actor)
    expect(await ask(folder)).to.equal(404)
  })

  it('says whose login the server refuses', async () => {
    app.treeOf('anna').failure = new StorageError('LOGIN_REJECTED', '530')
    const { status, text } = await bob.get(`/shared/${folder}/`)
    expect(status).to.equal(403)
    expect(text).to.include('The server refused the login of anna').and.not.include('stored for you')
  })
})
