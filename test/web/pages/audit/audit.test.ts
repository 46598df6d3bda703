import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { actor } from '../../../support/services.js'
import { startOverseenApp, type OverseenApp } from '../overseen-app.js'

describe('audit log', () => {
  let app: OverseenApp

  beforeEach(async () => {
    app = await startOverseenApp()
  })
  afterEach(() => app.close())

  it('shows the newest first, and pages by a link', async () => {
    const event = { type: 'user.disabled', object: { id: app.anna, name: 'anna' }, details: {} } as const
    await app.database.transaction(async (transaction) => {
      for (let n = 0; n < 100; n++) await app.audit.record(event, actor, transaction)
    })
    const first = await app.browser.get('/audit')
    const older = /href="(\/audit\?before=\d+)"/.exec(first.text)?.[1] ?? ''
    expect((await app.browser.get(older)).text)
      .to.include('user.created')
      .and.include('Newest')
  })

  it('filters by group, actor, outcome, day and text', async () => {
    const shown = async (query: string) => {
      const { text } = await app.browser.get(`/audit?${query}`)
      return [...text.matchAll(/<th scope="row"><span>([\w.-]+)/g)].map(([, type]) => type)
    }
    expect(await shown('type=permission.')).to.deep.equal(['permission.granted'])
    expect(await shown('type=server.&actor=tester&outcome=ok')).to.deep.equal(['server.created'])
    expect(await shown('type=user.&text=anna')).to.deep.equal(['user.created'])
    expect(await shown('to=2001-01-01')).to.deep.equal([])
    const today = new Date().toISOString().slice(0, 10)
    expect(await shown(`type=server.&from=${today}&to=${today}`)).to.deep.equal(['server.created'])
  })

  it('says that no event fits', async () => {
    expect((await app.browser.get('/audit?text=nowhere')).text).to.include('No event fits')
  })

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', { pages: ['/audit'] })
  })
})
