import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { actor, OTHER_FINGERPRINT } from '../../../support/services.js'
import { addLiveServer, startServersApp, type LiveServer, type ServersApp } from './servers-app.js'

describe('test of a server', () => {
  let app: ServersApp
  let server: LiveServer

  beforeEach(async () => {
    app = await startServersApp()
    server = await addLiveServer(app)
  })
  afterEach(async () => {
    await server.embedded.close()
    await app.close()
  })

  const test = (as: string) => app.browser.submit(`/servers/${server.id}/test`, { as })

  it('sends no login to a server that nobody has confirmed', async () => {
    const visit = await test('admin')
    expect(visit.text).to.include('The server answers. No login was tried.')
    expect(server.embedded.logins).to.deep.equal([])
  })

  it('shows each step of a test with its time, and no names of files', async () => {
    await app.servers.setTrust(server.id, { fingerprint: server.embedded.fingerprint }, actor)
    const { text } = await test('admin')
    for (const step of ['Connect', 'Check who it is', 'Log in', 'List the start folder']) expect(text).to.include(step)
    expect(text)
      .to.match(/\d+ ms/)
      .and.include('The connection works.')
    expect(text).to.not.include('secret-name').and.not.include('geheim-1')
  })

  it('says what was wrong with the login, in words of its own', async () => {
    await app.servers.setTrust(server.id, { fingerprint: server.embedded.fingerprint }, actor)
    await app.servers.update(server.id, { adminPassword: 'wrong' }, actor)
    const { text } = await test('admin')
    expect(text).to.include('The test failed at: log in.').and.include('The server refused the login.')
  })

  it('sends no login to a server that shows another key', async () => {
    await app.servers.setTrust(server.id, { fingerprint: OTHER_FINGERPRINT }, actor)
    expect((await test('admin')).text).to.include('Compare the fingerprints')
    expect(server.embedded.logins).to.deep.equal([])
  })

  it('says that nothing answers', async () => {
    await server.embedded.close()
    const { status, text } = await test('admin')
    expect([status, text.includes('The test failed at: connect.')]).to.deep.equal([200, true])
  })

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', {
      pages: [`/servers/${server.id}/test`],
      forms: [`/servers/${server.id}/test`],
    })
  })
})
