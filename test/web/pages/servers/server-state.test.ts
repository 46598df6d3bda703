import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startServersApp, type ServersApp } from './servers-app.js'

describe('state of a server', () => {
  let app: ServersApp

  beforeEach(async () => {
    app = await startServersApp()
  })
  afterEach(() => app.close())

  it('is disabled and enabled again', async () => {
    const { id } = await app.add()
    const from = `/servers/${id}`
    await app.browser.submit(`${from}/state`, { state: 'disabled' }, { from })
    expect((await app.servers.get(id)).enabled).to.equal(false)
    await app.browser.submit(`${from}/state`, { state: 'enabled' }, { from })
    expect((await app.servers.get(id)).enabled).to.equal(true)
  })

  it('is for admins only', async () => {
    const { id } = await app.add()
    await expectAdminsOnly(app.url, 'anna', { forms: [`/servers/${id}/state`] })
  })
})
