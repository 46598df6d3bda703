import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { actor } from '../../../support/services.js'
import { startOverseenApp, type OverseenApp } from '../overseen-app.js'

describe('review', () => {
  let app: OverseenApp

  beforeEach(async () => {
    app = await startOverseenApp()
  })
  afterEach(() => app.close())

  it('shows who reaches what with which login, last used when, and what blocks it', async () => {
    const lastUsedAt = new Date('2026-01-02T03:04:00Z')
    await app.database.usage.save([{ permissionId: app.permission, lastUsedAt, loginRejectedAt: lastUsedAt }])
    await app.users.setDisabled(app.anna, true, actor)
    const { text } = await app.browser.get('/review')
    expect(text).to.include('anna on alpha').and.include('=cmd()').and.include('2026-01-02T03:04:00.000Z')
    expect(text).to.include('>rejected<').and.include('>user disabled<')
  })

  it('exports what fits, and no cell runs as a formula', async () => {
    const { text } = await app.browser.get('/review.csv?text=alp')
    expect(text.split('\r\n')[1]).to.equal(`anna,alpha,"'=cmd()",read-write,,,,,`)
    expect((await app.browser.get('/review.csv?text=none')).text.trim().split('\r\n')).to.have.length(1)
  })

  it('says what to do when nobody reaches anything', async () => {
    await app.permissions.revoke(app.permission, actor)
    expect((await app.browser.get('/review')).text).to.include('Nobody can reach anything yet')
  })

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', { pages: ['/review', '/review.csv'] })
  })
})
