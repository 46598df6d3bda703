import { expect } from 'chai'
import { actor } from '../../support/services.js'
import { ApiFixture } from './api-fixture.js'

interface Page {
  readonly items: {
    readonly id: number
    readonly type: string
    readonly objectName: string
    readonly actorName: string
  }[]
  readonly next: number | null
}

describe('the audit log over the API', () => {
  let api: ApiFixture

  before(async () => {
    api = await ApiFixture.start()
    for (const username of ['bert', 'carl', 'dora']) {
      await api.services.users.create({ username, password: 'long enough' }, actor)
    }
  })
  after(() => api.stop())

  const list = async (query = '') => (await api.send('GET', `/api/v1/audit${query}`)).json as Page

  it('comes in pages, the newest first', async () => {
    const first = await list('?limit=2&type=user.')
    expect(first.items.map(({ objectName }) => objectName)).to.deep.equal(['dora', 'carl'])
    const second = await list(`?limit=200&type=user.&before=${first.next}`)
    expect(second.items.map(({ objectName }) => objectName)).to.deep.equal(['bert', 'anna', 'root'])
    expect(second.next).to.equal(null)
  })

  it('is filtered', async () => {
    const names = async (query: string) => (await list(query)).items.map(({ objectName }) => objectName)
    expect(await names('?object=bert')).to.deep.equal(['bert'])
    expect(await names('?text=carl')).to.deep.equal(['carl'])
    expect(await names('?type=user.created&actor=nobody')).to.deep.equal([])
    expect(await names('?type=user.created&to=2001-01-01')).to.deep.equal([])
    expect(await names('?type=user.created&from=2001-01-01T00:00:00%2B02:00&limit=1')).to.deep.equal(['dora'])
    expect(await names('?outcome=failed')).to.deep.equal([])
  })

  for (const query of ['limit=201', 'before=x', 'from=yesterday', 'outcome=good', 'from=2001-02-30', 'sort=;drop']) {
    it(`refuses ?${query}`, async () => {
      expect((await api.send('GET', `/api/v1/audit?${query}`)).status).to.equal(400)
    })
  }

  it('records a change over the API with who made it', async () => {
    await api.send('PATCH', `/api/v1/users/${api.userId}`, { body: { role: 'admin' } })
    const [event] = (await list('?type=user.role-changed')).items
    expect(event).to.include({ objectName: 'anna', actorName: 'root', actorKind: 'user', address: '127.0.0.1' })
  })

  it('is exported as CSV and as JSON, the oldest first', async () => {
    const csv = await api.send('GET', '/api/v1/audit/export?type=user.created')
    expect(csv.headers.get('content-disposition')).to.match(/filename="audit.csv"/)
    expect(csv.text.split('\r\n').slice(0, 2).join()).to.match(/^id,at,type.*root/)
    const json = await api.send('GET', '/api/v1/audit/export?format=json&type=user.created')
    expect(json.headers.get('content-type')).to.match(/^application\/json/)
    expect((json.json as Page['items']).map(({ objectName }) => objectName)).to.deep.equal([
      'root',
      'anna',
      'bert',
      'carl',
      'dora',
    ])
  })
})
