import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startServersApp, type ServersApp } from './servers-app.js'

describe('deleting a server', () => {
  let app: ServersApp

  beforeEach(async () => {
    app = await startServersApp()
  })
  afterEach(() => app.close())

  it('is done after asking', async () => {
    const { id } = await app.add()
    const from = `/servers/${id}`
    expect((await app.browser.get(`${from}/delete`)).text).to.include('Delete alpha?')
    expect((await app.browser.submit(`${from}/delete`, {})).text).to.include('The server alpha was deleted.')
  })

  it('is for admins only', async () => {
    const { id } = await app.add()
    await expectAdminsOnly(app.url, 'anna', { pages: [`/servers/${id}/delete`], forms: [`/servers/${id}/delete`] })
  })
})
