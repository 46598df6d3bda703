import { expect } from 'chai'
import type { Health } from '../../../../src/health/health.js'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { actor } from '../../../support/services.js'
import { startServersApp, type ServersApp } from './servers-app.js'

describe('list of servers', () => {
  let app: ServersApp
  let state: Health

  beforeEach(async () => {
    state = { state: 'unknown' }
    app = await startServersApp({ health: { of: () => state, history: () => Promise.resolve([]) } })
  })
  afterEach(() => app.close())

  it('says what to do while there is no server', async () => {
    expect((await app.browser.get('/servers')).text)
      .to.include('No server yet')
      .and.include('href="/servers/new"')
  })

  it('lists servers with state, address, trust and number of users', async () => {
    const { id } = await app.add()
    await app.add({ alias: 'beta', trust: { firstUse: true } })
    await app.servers.setEnabled(id, false, actor)
    const { text } = await app.browser.get('/servers')
    expect(text).to.include('files.example.com:22').and.include('>disabled<').and.include('>not confirmed<')
  })

  it('shows how an enabled server is, and since when it is down', async () => {
    await app.add()
    expect((await app.browser.get('/servers')).text).to.include('>unknown<')
    state = { state: 'down', reason: 'UNREACHABLE', since: new Date('2027-01-02T03:04:05Z') }
    expect((await app.browser.get('/servers')).text)
      .to.include('>down<')
      .and.include('2027-01-02T03:04:05.000Z')
  })

  it('escapes names', async () => {
    await app.add({ alias: `it's & "x"`.replaceAll('"', '') })
    expect((await app.browser.get('/servers')).text).to.include('it&#39;s &amp; x')
  })

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', { pages: ['/servers'] })
  })
})
