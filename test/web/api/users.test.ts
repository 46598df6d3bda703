import { expect } from 'chai'
import { actor } from '../../support/services.js'
import { ADMIN, ApiFixture, USER } from './api-fixture.js'

interface UserJson {
  readonly id: number
  readonly username: string
  readonly role: string
  readonly disabled: boolean
}

describe('users over the API', () => {
  let api: ApiFixture

  beforeEach(async () => {
    api = await ApiFixture.start()
  })
  afterEach(() => api.stop())

  const list = async (query = '') => {
    const reply = await api.send('GET', `/api/v1/users${query}`)
    return reply.json as { items: UserJson[]; total: number; limit: number; offset: number }
  }
  const names = async (query = '') => (await list(query)).items.map(({ username }) => username)

  it('are listed in pages, searched and sorted', async () => {
    for (const username of ['bert', 'berta', 'carl']) {
      await api.send('POST', '/api/v1/users', { body: { username, password: 'long enough' } })
    }
    expect(await names()).to.deep.equal(['anna', 'bert', 'berta', 'carl', 'root'])
    expect(await names('?sort=-username&limit=2')).to.deep.equal(['root', 'carl'])
    expect(await list('?text=ERT&limit=1&offset=1')).to.deep.include({ total: 2, limit: 1, offset: 1 })
    expect(await names('?role=admin')).to.deep.equal(['root'])
    expect(await names('?disabled=true')).to.deep.equal([])
    expect(await names('?text=_')).to.deep.equal([])
  })

  it('are made with 201 and an address', async () => {
    const body = { username: 'bert', password: 'long enough', mustChangePassword: true }
    const reply = await api.send('POST', '/api/v1/users', { body })
    expect(reply.status).to.equal(201)
    expect(reply.json).to.include({ username: 'bert', role: 'user', disabled: false, mustChangePassword: true })
    const again = await api.send('GET', reply.headers.get('location') ?? '')
    expect(again.json).to.deep.equal(reply.json)
    expect(again.headers.get('etag')).to.equal(reply.headers.get('etag'))
  })

  it('are made once', async () => {
    const reply = await api.send('POST', '/api/v1/users', { body: { username: 'anna', password: 'long enough' } })
    expect(reply.json).to.include({ status: 409, code: 'CONFLICT' })
  })

  it('take no field that is not theirs to say', async () => {
    const hash = `$2b$12$${'a'.repeat(53)}`
    const extras = [
      { id: 1 },
      { authVersion: 9 },
      { passwordHash: hash },
      { totpSecret: 'x' },
      { createdAt: '2020-01-01T00:00:00Z' },
      { password: { hash } },
    ]
    for (const extra of extras) {
      const body = { username: 'bert', password: 'long enough', ...extra }
      const reply = await api.send('POST', '/api/v1/users', { body })
      expect(reply.status).to.equal(400)
      const changed = await api.send('PATCH', `/api/v1/users/${api.userId}`, { body: extra })
      expect(changed.status).to.equal(400)
      const [field] = Object.keys(extra)
      expect((reply.json as { problems: { field: string }[] }).problems[0]?.field).to.equal(field)
    }
    expect((await list()).total).to.equal(2)
  })

  it('do not make themselves admins', async () => {
    const reply = await api.send('PATCH', `/api/v1/users/${api.userId}`, { as: USER, body: { role: 'admin' } })
    expect(reply.status).to.equal(403)
    expect((await list('?role=admin')).total).to.equal(1)
  })

  it('are changed, disabled and removed', async () => {
    const path = `/api/v1/users/${api.userId}`
    expect((await api.send('PATCH', path, { body: { role: 'admin' } })).json).to.include({ role: 'admin' })
    expect((await api.send('PATCH', path, { body: { disabled: true } })).json).to.include({
      disabled: true,
      role: 'admin',
    })
    expect((await api.send('GET', '/api/v1/me', { as: USER })).status).to.equal(401)
    const put = () => api.send('PUT', path, { body: { role: 'user', disabled: false } })
    const first = await put()
    expect(first.json).to.include({ role: 'user', disabled: false })
    expect((await put()).text).to.equal(first.text)
    expect((await api.send('DELETE', path)).status).to.equal(204)
    expect((await api.send('GET', path)).json).to.include({ status: 404, code: 'UNKNOWN_OBJECT' })
  })

  it('are not overwritten by somebody who saw an older state, also when two come at once', async () => {
    const path = `/api/v1/users/${api.userId}`
    const etag = (await api.send('GET', path)).headers.get('etag') ?? ''
    const put = (role: string) =>
      api.send('PUT', path, { body: { role, disabled: true }, headers: { 'If-Match': etag } })
    const statuses = (await Promise.all([put('admin'), put('user')])).map(({ status }) => status)
    expect(statuses.sort()).to.deep.equal([200, 412])
    expect((await api.send('DELETE', path, { headers: { 'If-Match': etag } })).status).to.equal(412)
  })

  it('keep the last active admin', async () => {
    const path = `/api/v1/users/${api.adminId}`
    for (const [method, body] of [
      ['PATCH', { role: 'user' }],
      ['PATCH', { disabled: true }],
      ['DELETE', undefined],
    ] as const) {
      expect((await api.send(method, path, { body })).json).to.include({ status: 409, code: 'CONFLICT' })
    }
  })

  it('get a new password, which has to be changed, and lose what was open under the old one', async () => {
    const path = `/api/v1/users/${api.userId}/password`
    expect((await api.send('PUT', path, { body: { password: 'anna' } })).status).to.equal(400)
    expect((await api.send('PUT', path, { body: { password: 'another long one' } })).status).to.equal(204)
    expect((await api.send('GET', '/api/v1/me', { as: USER })).status).to.equal(401)
    expect((await api.send('GET', `/api/v1/users/${api.userId}`)).json).to.include({ mustChangePassword: true })
  })

  describe('and what they let in with', () => {
    const path = (rest: string) => `/api/v1/users/${api.userId}/${rest}`
    const of = (rest: string) => `/api/v1/users/${api.adminId}/${rest}`
    const items = async (rest: string) => {
      const reply = await api.send('GET', path(rest))
      return (reply.json as { items: Readonly<Record<string, unknown>>[] }).items
    }

    it('app passwords are listed and revoked', async () => {
      const { appPassword } = await api.auth.appPasswords.create(api.userId, { name: 'drive', readOnly: true }, actor)
      expect(await items('app-passwords')).to.have.length(1)
      expect((await items('app-passwords'))[0]).to.include({ id: appPassword.id, name: 'drive', readOnly: true })
      expect((await api.send('DELETE', of(`app-passwords/${appPassword.id}`))).status).to.equal(404)
      expect((await api.send('DELETE', path(`app-passwords/${appPassword.id}`))).status).to.equal(204)
      expect(await items('app-passwords')).to.deep.equal([])
      const [event] = await api.services.audit.list()
      expect(event).to.deep.include({ type: 'app-password.revoked', actorName: 'root', details: { user: 'anna' } })
    })

    it('API tokens are listed and revoked, and are no good from then on', async () => {
      const made = await api.auth.apiTokens.create(api.userId, { name: 'nightly', scopes: ['files:read'] }, actor)
      const me = () =>
        api.send('GET', '/api/v1/me', { as: 'nobody', headers: { Authorization: `Bearer ${made.secret}` } })
      expect((await me()).status).to.equal(200)
      expect((await items('api-tokens'))[0]).to.deep.include({ name: 'nightly', scopes: ['files:read'] })
      expect((await api.send('DELETE', of(`api-tokens/${made.token.id}`))).status).to.equal(404)
      expect((await api.send('DELETE', path(`api-tokens/${made.token.id}`))).status).to.equal(204)
      expect((await me()).status).to.equal(401)
      const [event] = await api.services.audit.list()
      expect(event).to.deep.include({ type: 'api-token.revoked', actorName: 'root', details: { user: 'anna' } })
    })

    it('sessions are listed and ended one by one', async () => {
      const expiresAt = new Date(Date.now() + 60_000)
      const session = { userId: api.userId, data: '{}', address: '192.0.2.7', userAgent: 'Firefox', expiresAt }
      for (const id of ['one', 'two']) await api.auth.sessions.save(id, session)
      const [first] = await items('sessions')
      expect(first).to.include({ current: false, address: '192.0.2.7', userAgent: 'Firefox' })
      expect((await api.send('DELETE', of(`sessions/${String(first?.['key'])}`))).status).to.equal(404)
      expect((await api.send('DELETE', path(`sessions/${String(first?.['key'])}`))).status).to.equal(204)
      expect(await items('sessions')).to.have.length(1)
      const [event] = await api.services.audit.list()
      expect(event).to.deep.include({ type: 'user.sessions-ended', actorName: 'root', details: { sessions: 1 } })
    })

    it('is not there for a user who is not', async () => {
      for (const rest of ['app-passwords', 'api-tokens', 'sessions']) {
        expect((await api.send('GET', `/api/v1/users/999999/${rest}`)).status, rest).to.equal(404)
      }
    })
  })

  it('never show a hash or a secret', async () => {
    const { passwordHash } = (await api.services.users.credentials('anna')) ?? {}
    for (const path of ['', `/${api.userId}`, '/export']) {
      const { text } = await api.send('GET', `/api/v1/users${path}`)
      expect(text)
        .not.to.include(passwordHash)
        .and.not.match(/hash|\$2b|totpSecret/i)
    }
  })

  describe('as CSV', () => {
    const put = (body: string, query = '') =>
      api.send('POST', `/api/v1/users/import${query}`, { body, type: 'text/csv' })
    const HEAD = 'username,password,role,disabled,mustChangePassword\r\n'

    it('are exported, and what was exported can be imported', async () => {
      const { text, headers } = await api.send('GET', '/api/v1/users/export')
      expect(headers.get('content-type')).to.equal('text/csv; charset=utf-8')
      expect(text.split('\r\n')[1]).to.match(/^anna,user,false,false,false,,20/)
      expect((await put(text)).json).to.include({ created: 0, changed: 0, unchanged: 2 })
    })

    for (const [what, password] of [
      ['one of the most common', 'Iloveyou1'],
      ['the name itself', 'Some.Body'],
    ] as const) {
      it(`are not imported with ${what} as password, also in a dry run`, async () => {
        const text = `${HEAD}fine,long enough,,,\r\nsome.body,${password},,,\r\n`
        for (const query of ['', '?dryRun=true']) {
          const reply = await put(text, query)
          expect(reply.status).to.equal(400)
          expect(reply.text).to.include('line 3.password')
        }
        expect(await api.services.users.find('fine')).to.equal(undefined)
      })
    }

    it('are made and changed, all in one', async () => {
      const text = `${HEAD}bert,long enough,,,true\r\nanna,,admin,,\r\nroot,,,,\r\n`
      const reply = await put(text)
      expect(reply.json).to.deep.equal({
        created: 1,
        changed: 1,
        unchanged: 1,
        users: [
          { username: 'bert', outcome: 'created' },
          { username: 'anna', outcome: 'changed' },
          { username: 'root', outcome: 'unchanged' },
        ],
      })
      expect(await names('?role=admin')).to.deep.equal(['anna', 'root'])
      expect((await api.services.users.find('bert'))?.mustChangePassword).to.equal(true)
    })

    it('are only looked at in a dry run', async () => {
      expect((await put(`${HEAD}bert,long enough,,,\r\nanna,,admin,,\r\n`, '?dryRun=true')).json).to.include({
        created: 1,
        changed: 1,
      })
      expect(await names()).to.deep.equal(['anna', 'root'])
      expect(await names('?role=admin')).to.deep.equal(['root'])
    })

    it('with problems change nothing, and tell each with its line', async () => {
      const reply = await put(`${HEAD}bert,long enough,,,\r\nBERT,x,boss,,\r\nbert,long enough,,,\r\n`)
      expect(reply.status).to.equal(400)
      const { problems } = reply.json as { problems: { field: string }[] }
      expect(problems.map(({ field }) => field)).to.deep.equal([
        'line 3.username',
        'line 3.password',
        'line 3.role',
        'line 4.username',
      ])
      expect(await names()).to.deep.equal(['anna', 'root'])
    })

    it('change nothing when one of them cannot be changed', async () => {
      const reply = await put(`${HEAD}bert,long enough,,,\r\nroot,,user,,\r\n`)
      expect(reply.json).to.include({ status: 409 })
      expect(await names()).to.deep.equal(['anna', 'root'])
    })

    const broken: [what: string, text: string][] = [
      ['an unknown column', 'username,passwordHash\r\nbert,x\r\n'],
      ['a column twice', 'username,username\r\nbert,bert\r\n'],
      ['nothing', ''],
      ['a quote that does not end', 'username\r\n"bert\r\n'],
      ['a row that is too long', `${HEAD}a,b,c,d,e,f\r\n`],
      ['a new user without a password', 'username\r\nbert\r\n'],
      ['a password that is the name', `${HEAD}bertbert,bertbert,,,\r\n`],
      ['more than 500 rows', `username\r\n${'root\r\n'.repeat(501)}`],
    ]
    for (const [what, text] of broken) {
      it(`refuse ${what}`, async () => {
        expect((await put(text)).status).to.equal(400)
        expect(await names()).to.deep.equal(['anna', 'root'])
      })
    }

    it('are taken as text/csv only', async () => {
      const reply = await api.send('POST', '/api/v1/users/import', { body: 'username\r\n', type: 'application/json' })
      expect(reply.status).to.equal(415)
    })
  })

  describe('at /users', () => {
    it('are JSON for programs and a page for browsers', async () => {
      expect((await api.send('GET', '/users')).json).to.include({ total: 2 })
      const page = await api.send('GET', '/users', { headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } })
      expect(page.text).to.equal('a page')
      const curl = await api.send('GET', '/users', { headers: { Accept: '*/*' } })
      expect(curl.json).to.include({ total: 2 })
      expect((await api.send('GET', '/users', { as: 'nobody', headers: { Accept: '*/*' } })).status).to.equal(401)
      const form = { body: 'username=bert', type: 'application/x-www-form-urlencoded', headers: { Accept: '*/*' } }
      expect((await api.send('POST', '/users', form)).text).to.equal('a page')
    })

    it('are made by the same rules', async () => {
      const body = { username: 'bert', password: 'long enough' }
      expect((await api.send('POST', '/users', { body })).status).to.equal(201)
      expect((await api.send('POST', '/users', { body: { ...body, id: 1 } })).status).to.equal(400)
      expect((await api.send('POST', '/users', { as: USER, body })).status).to.equal(403)
      expect((await api.send('POST', '/users', { as: { ...ADMIN, password: 'wrong one' }, body })).status).to.equal(401)
    })
  })
})
