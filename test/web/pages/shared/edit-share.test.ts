import { expect } from 'chai'
import { actor } from '../../../support/services.js'
import { startSharedApp, type SharedApp } from './shared-app.js'

describe('changing a share', () => {
  let app: SharedApp
  beforeEach(async () => (app = await startSharedApp()))
  afterEach(() => app.close())

  it('sets note and last day, and leaves the time of a day that was not changed', async () => {
    const anna = await app.browser('anna')
    const id = await app.share('/s2/docs', 'directory')
    const endsAt = new Date('2090-06-01T12:00:00Z')
    await app.shares.update(id, app.anna, { endsAt }, actor)
    const page = `/shared/by-me/${id}`
    expect((await anna.get(page)).text).to.include('value="2090-06-01"')
    await anna.submit(page, { note: 'new', endsAt: '2090-06-01' })
    expect(await app.shares.get(id, app.anna)).to.deep.include({ note: 'new', endsAt })
    await anna.submit(page, { note: 'new', endsAt: '' })
    expect(await app.shares.get(id, app.anna)).to.include({ endsAt: undefined })
    const refused = await anna.submit(page, { note: '', endsAt: '2001-01-01' })
    expect([refused.status, refused.text.includes('must be in the future')]).to.deep.equal([422, true])
  })

  it('is for its owner only', async () => {
    const id = await app.share('/s2/docs', 'directory')
    const bob = await app.browser('bob')
    expect((await bob.get(`/shared/by-me/${id}`)).status).to.equal(404)
    expect((await bob.submit(`/shared/by-me/${id}`, { note: 'x', endsAt: '' }, { from: '/shared' })).status).to.equal(
      404,
    )
  })
})
