import { expect } from 'chai'
import { loggedIn } from '../../support/logged-in.js'
import { actor } from '../../support/services.js'
import { ADMIN, ApiFixture, USER, type Sent } from './api-fixture.js'

const BOB = { username: 'bob', password: 'the password' }

describe('shares over the API', () => {
  let api: ApiFixture

  beforeEach(async () => {
    api = await ApiFixture.start()
    await api.services.users.create(BOB, actor)
  })
  afterEach(() => api.stop())

  const send = (method: string, path: string, sent: Sent = {}) =>
    api.send(method, `/api/v1/shares${path}`, { as: USER, ...sent })
  const make = (fields: object = {}) => send('POST', '', { body: { path: '/s2/a.txt', recipient: 'bob', ...fields } })
  const idOf = ({ json }: Awaited<ReturnType<typeof make>>) => (json as { id: number }).id

  it('are made of what the owner can see, for somebody else', async () => {
    const made = await make({ endsAt: '2090-12-31', note: 'As we said' })
    expect(made.status).to.equal(201)
    expect(made.json).to.include({
      ...{ owner: 'anna', recipient: 'bob', path: '/s2/a.txt', kind: 'file', note: 'As we said', blocked: null },
      ...{ endsAt: '2090-12-31T23:59:59.999Z', href: '/files/s2/a.txt' },
    })
    expect(made.headers.get('location')).to.equal(`/api/v1/shares/${idOf(made)}`)
    expect((await make()).status).to.equal(409)
    expect((await make({ path: '/s2/docs' })).json).to.include({ kind: 'directory', href: '/files/s2/docs/' })
    expect((await make({ path: '/s2/none' })).status).to.equal(404)
    expect((await make({ path: '/s2' })).status).to.equal(400)
    expect((await make({ kind: 'file' })).status).to.equal(400)
  })

  it('answer the same for a name that nobody has and for one that is disabled', async () => {
    const { id } = await api.services.users.create({ username: 'gone', password: 'the password' }, actor)
    await api.services.users.setDisabled(id, true, actor)
    const answers = await Promise.all(['nobody', 'gone', 'anna'].map((recipient) => make({ recipient })))
    const problems = answers.map(({ status, json }) => [status, (json as { problems: unknown }).problems])
    expect(problems[0]).to.deep.equal([400, [{ field: 'recipient', message: 'is nobody whom you can share with' }]])
    expect(problems[1]).to.deep.equal(problems[0])
    expect(problems[2]).to.deep.equal(problems[0])
  })

  it('are seen by both sides, and from the other one nothing of where it is', async () => {
    const id = idOf(await make())
    expect((await send('GET', '')).json).to.include({ total: 1 })
    expect((await send('GET', '', { as: BOB })).json).to.include({ total: 0 })
    const received = await send('GET', '?with=me', { as: BOB })
    expect(received.json).to.have.nested.property('items[0].path', null)
    expect(received.json).to.have.nested.property('items[0].href', `/shared/${id}`)
    expect(received.text).not.to.include('/s2')
    expect((await send('GET', `/${id}`, { as: BOB })).json).to.include({ name: 'a.txt', path: null })
    expect((await send('GET', `/${id}`, { as: ADMIN })).status).to.equal(404)
  })

  it('are changed by their owner, and only in the version that was seen', async () => {
    const made = await make()
    const id = idOf(made)
    const change = (body: object, sent: Sent = {}) => send('PATCH', `/${id}`, { body, ...sent })
    const changed = await change({ note: 'new' }, { headers: { 'If-Match': made.headers.get('etag') ?? '' } })
    expect(changed.json).to.include({ note: 'new', endsAt: null })
    const old = { headers: { 'If-Match': made.headers.get('etag') ?? '' } }
    expect((await change({ note: 'newer' }, old)).status).to.equal(412)
    expect((await change({ note: 'mine' }, { as: BOB })).status).to.equal(404)
    expect((await change({ path: '/s2/docs' })).status).to.equal(400)
    const tag = changed.headers.get('etag') ?? ''
    expect((await send('GET', `/${id}`, { headers: { 'If-None-Match': tag } })).status).to.equal(304)
  })

  for (const as of [USER, BOB]) {
    it(`are ended by ${as.username}`, async () => {
      const id = idOf(await make())
      expect((await send('DELETE', `/${id}`, { as: ADMIN })).status).to.equal(404)
      expect((await send('DELETE', `/${id}`, { as })).status).to.equal(204)
      expect((await send('GET', `/${id}`, { as })).status).to.equal(404)
    })
  }

  it('of other servers are nothing for a token that is limited to some', async () => {
    const id = idOf(await make())
    const token = loggedIn({ userId: api.userId, username: 'anna', via: 'api-token', servers: [999] })
    api.tokens.set('limited', token)
    const limited = { as: 'nobody', headers: { Authorization: 'Bearer limited' } } as const
    expect((await send('GET', '', limited)).json).to.include({ total: 0 })
    for (const method of ['GET', 'DELETE']) expect((await send(method, `/${id}`, limited)).status).to.equal(404)
    expect((await send('PATCH', `/${id}`, { ...limited, body: { note: 'x' } })).status).to.equal(404)
  })
})
