import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { actor, OTHER_FINGERPRINT } from '../../../support/services.js'
import { addLiveServer, startServersApp, type LiveServer, type ServersApp } from './servers-app.js'

describe('trust in a server', () => {
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

  it('shows the fingerprint, and trusts it when the admin has confirmed it', async () => {
    const scan = await app.browser.submit(
      `/servers/${server.id}/trust/scan`,
      {},
      { from: `/servers/${server.id}/trust` },
    )
    expect(scan.text).to.include(server.shown).and.include('It is the same: trust this server')
    expect((await app.servers.get(server.id)).trust).to.deep.equal({ kind: 'first-use' })
    await app.browser.submit(`/servers/${server.id}/trust`, { fingerprint: server.shown })
    expect((await app.servers.get(server.id)).trust).to.deep.include({ kind: 'pinned', fingerprints: [server.shown] })
    expect((await app.audit.list())[0]).to.include({ type: 'server.trusted', actorName: 'root' })
  })

  it('turns red when the server shows another key, with the old and the new one', async () => {
    await app.servers.setTrust(server.id, { fingerprint: OTHER_FINGERPRINT }, actor)
    const { text } = await app.browser.submit(
      `/servers/${server.id}/trust/scan`,
      {},
      { from: `/servers/${server.id}/trust` },
    )
    expect(text).to.include('The host key of alpha has changed')
    expect(text).to.include(OTHER_FINGERPRINT).and.include(server.shown)
    expect(server.embedded.logins).to.deep.equal([])
  })

  it('says that nothing answers', async () => {
    await server.embedded.close()
    const scan = await app.browser.submit(
      `/servers/${server.id}/trust/scan`,
      {},
      { from: `/servers/${server.id}/trust` },
    )
    expect(scan.text).to.include('The address cannot be reached.')
  })

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', {
      pages: [`/servers/${server.id}/trust`],
      forms: [`/servers/${server.id}/trust`, `/servers/${server.id}/trust/scan`],
    })
  })
})
