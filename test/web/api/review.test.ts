import { expect } from 'chai'
import { actor } from '../../support/services.js'
import { ApiFixture } from './api-fixture.js'

describe('the access review over the API', () => {
  let api: ApiFixture

  beforeEach(async () => {
    api = await ApiFixture.start()
  })
  afterEach(() => api.stop())

  const list = async (query = '') =>
    (await api.send('GET', `/api/v1/review${query}`)).json as { items: Record<string, unknown>[]; total: number }

  it('says who reaches what, with which login, and when it was used last', async () => {
    const at = new Date('2026-01-02T03:04:05Z')
    await api.services.database.usage.save([
      { permissionId: api.permissionId, lastUsedAt: at, loginRejectedAt: undefined },
    ])
    const { items } = await list()
    expect(items).to.have.length(1)
    expect(items[0]).to.include({
      username: 'anna',
      alias: 's2',
      remoteUser: 'anna',
      access: 'read-write',
      blocked: null,
      lastUsedAt: at.toISOString(),
      loginRejectedAt: null,
    })
  })

  it('says why nothing is reached', async () => {
    await api.services.permissions.update(api.permissionId, { endsAt: '2001-01-01' }, actor)
    expect((await list()).items[0]).to.include({ blocked: 'ended' })
    await api.services.servers.setEnabled(api.serverId, false, actor)
    expect((await list()).items[0]).to.include({ blocked: 'server disabled' })
  })

  it('is searched', async () => {
    expect(await list('?text=ANN')).to.include({ total: 1 })
    expect(await list('?text=nobody')).to.include({ total: 0 })
  })

  it('is exported as CSV that no spreadsheet runs', async () => {
    const formula = '=HYPERLINK("http://evil.example","x")'
    await api.services.permissions.update(api.permissionId, { remoteUser: formula, root: '@SUM(1)' }, actor)
    const { text, headers } = await api.send('GET', '/api/v1/review/export')
    expect(headers.get('content-type')).to.equal('text/csv; charset=utf-8')
    const [head, line] = text.split('\r\n')
    expect(head).to.equal('username,alias,remoteUser,access,root,endsAt,blocked,lastUsedAt,loginRejectedAt')
    expect(line).to.include(`"'=HYPERLINK(""http://evil.example"",""x"")"`).and.include("'@SUM(1)")
  })
})
