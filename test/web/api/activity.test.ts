import { expect } from 'chai'
import type { Client, TreeOperation } from '../../../src/vfs/observer.js'
import { ApiFixture } from './api-fixture.js'

const CLIENT: Client = {
  address: '192.0.2.1',
  userAgent: 'Drive/1',
  requestId: 'r',
  via: 'app-password',
  credential: 'laptop',
}

describe('activity and health over the API', () => {
  let api: ApiFixture
  let ended: number

  before(async () => {
    api = await ApiFixture.start()
    ended = 0
    api.activity.seen({ userId: api.userId, username: 'anna' }, CLIENT)
    const operation: TreeOperation = {
      ...{ userId: api.userId, username: 'anna', kind: 'read', path: '/s2/a.bin', target: undefined, client: CLIENT },
      mount: {
        alias: 's2',
        serverId: api.serverId,
        permissionId: api.permissionId,
        accountKey: 'k',
        remoteUser: 'anna',
      },
      ...{ targetMount: undefined, bytes: 10, total: 100, startedAt: 0, end: () => void ended++ },
    }
    api.activity.started(operation)
  })
  after(() => api.stop())

  it('shows what is under way, and ends it', async () => {
    const { items } = (await api.send('GET', '/api/v1/activity')).json as { items: { id: string }[] }
    expect(items).to.have.length(1)
    expect(items[0]).to.deep.include({
      ...{ username: 'anna', kind: 'read', alias: 's2', path: '/s2/a.bin', target: null, bytes: 10, total: 100 },
      ...{ startedAt: '1970-01-01T00:00:00.000Z', address: '192.0.2.1', userAgent: 'Drive/1' },
    })
    expect((await api.send('DELETE', `/api/v1/activity/${items[0]?.id}`)).status).to.equal(204)
    expect(ended).to.equal(1)
    expect((await api.send('DELETE', '/api/v1/activity/999')).status).to.equal(404)
  })

  it('shows who was there', async () => {
    const { items } = (await api.send('GET', '/api/v1/activity/clients')).json as { items: object[] }
    expect(items[0]).to.include({
      username: 'anna',
      address: '192.0.2.1',
      via: 'app-password',
      credential: 'laptop',
      requests: 1,
    })
  })

  it('shows how the servers are, and were', async () => {
    const now = { state: 'slow', since: '1970-01-01T00:00:00.000Z', lastOkAt: null, latencyMs: 4000, reason: null }
    expect((await api.send('GET', '/api/v1/health')).json).to.deep.equal({
      items: [{ serverId: api.serverId, alias: 's2', ...now }],
    })
    expect((await api.send('GET', `/api/v1/servers/${api.serverId}/health`)).json).to.deep.equal({
      now,
      samples: [{ at: '1970-01-01T00:00:00.000Z', state: 'up', latencyMs: null }],
    })
    expect((await api.send('GET', '/api/v1/servers/999/health')).status).to.equal(404)
  })
})
