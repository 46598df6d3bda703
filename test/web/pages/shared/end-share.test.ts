import { expect } from 'chai'
import { audited } from '../../../support/services.js'
import { startSharedApp, type SharedApp } from './shared-app.js'

describe('ending a share', () => {
  let app: SharedApp
  let id: number
  beforeEach(async () => {
    app = await startSharedApp()
    id = await app.share('/s2/docs', 'directory')
  })
  afterEach(() => app.close())

  for (const [who, page] of [
    ['anna', '/shared/by-me'],
    ['bob', '/shared'],
  ] as const) {
    it(`is for ${who}, who comes back to the own list`, async () => {
      const browser = await app.browser(who)
      const { path } = await browser.submit(`/shared/${id}/end`, {}, { from: page })
      expect(path).to.equal(page)
      expect(await app.shares.list()).to.deep.equal([])
      expect((await app.audit.list(1))[0]).to.include({ type: 'share.ended', actorName: who })
    })
  }

  it('is for admins by the access review, where they see it and cannot open it', async () => {
    const root = await app.browser('root')
    expect((await root.get('/review')).text)
      .to.include('/s2/docs/')
      .and.include(`action="/review/shares/${id}/end"`)
    expect((await root.get('/review?text=nobody')).text).not.to.include('/s2/docs/')
    expect((await root.submit(`/shared/${id}/end`, {}, { from: '/shared' })).status).to.equal(404)
    const done = await root.submit(`/review/shares/${id}/end`, {}, { from: '/review' })
    expect(done.path).to.equal('/review')
    expect(await audited(app, 1)).to.deep.equal(['share.ended docs'])
  })

  it('is for nobody else', async () => {
    await app.addUser('eve')
    const eve = await app.browser('eve')
    expect((await eve.submit(`/shared/${id}/end`, {}, { from: '/shared' })).status).to.equal(404)
    expect((await eve.submit(`/review/shares/${id}/end`, {}, { from: '/shared' })).status).to.equal(403)
    expect(await app.shares.list()).to.have.length(1)
  })
})
