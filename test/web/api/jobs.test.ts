import { expect } from 'chai'
import { loggedIn } from '../../support/logged-in.js'
import { ADMIN, ApiFixture, USER } from './api-fixture.js'

describe('copies and moves over the API', () => {
  let api: ApiFixture

  beforeEach(async () => {
    api = await ApiFixture.start()
  })
  afterEach(() => api.stop())

  /** One that goes on until it is cancelled. */
  const begin = (credential?: string) => {
    const work = ({ signal }: { signal: AbortSignal }) =>
      new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))
    return api.jobs.start(api.userId, 'Copying a.txt', work, credential)?.id ?? ''
  }
  const ask = (method: string, path: string, as = USER) => api.send(method, `/api/v1/jobs${path}`, { as })

  it('are listed, the newest first, for who began them', async () => {
    const ids = [begin(), begin(), begin()]
    const { json } = await ask('GET', '?limit=2')
    expect(json).to.include({ total: 3, limit: 2 })
    const { items } = json as { items: { id: string; state: string; total: unknown; endedAt: unknown }[] }
    expect(items.map(({ id }) => id)).to.deep.equal([ids[2], ids[1]])
    expect(items[0]).to.include({ state: 'waiting', total: null, endedAt: null, title: 'Copying a.txt' })
    expect((await ask('GET', '', ADMIN)).json).to.include({ total: 0 })
  })

  it('are looked at and cancelled by who began them', async () => {
    const id = begin()
    for (const method of ['GET', 'DELETE']) expect((await ask(method, `/${id}`, ADMIN)).status).to.equal(404)
    expect((await ask('GET', `/${id}`)).json).to.include({ id, state: 'running' })
    expect((await ask('DELETE', `/${id}`)).status).to.equal(204)
    await api.jobs.settled()
    expect((await ask('GET', `/${id}`)).json).to.include({ state: 'cancelled' })
    expect((await ask('DELETE', `/${id}`)).status).to.equal(409)
    expect((await ask('GET', '/none')).status).to.equal(404)
  })

  it('of other logins are nothing for a token that is limited to some servers', async () => {
    const [others, own] = [begin('app-password:1'), begin('api-token:7')]
    const credential = { id: 7, name: 'script' }
    const token = loggedIn({ userId: api.userId, via: 'api-token', credential, servers: [api.serverId] })
    api.tokens.set('limited', token)
    const as = { as: 'nobody', headers: { Authorization: 'Bearer limited' } } as const
    const { items } = (await api.send('GET', '/api/v1/jobs', as)).json as { items: { id: string }[] }
    expect(items.map(({ id }) => id)).to.deep.equal([own])
    expect((await api.send('DELETE', `/api/v1/jobs/${others}`, as)).status).to.equal(404)
  })
})
