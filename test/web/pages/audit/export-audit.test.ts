import { expect } from 'chai'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startOverseenApp, type OverseenApp } from '../overseen-app.js'

describe('export of the audit log', () => {
  let app: OverseenApp

  beforeEach(async () => {
    app = await startOverseenApp()
  })
  afterEach(() => app.close())

  it('exports what the filter leaves, as CSV and as JSON', async () => {
    const csv = await app.browser.get('/audit.csv?type=server.')
    expect(csv.headers.get('content-disposition')).to.equal('attachment; filename=audit.csv')
    expect(csv.text.trim().split('\r\n')).to.have.length(2)
    const events = JSON.parse((await app.browser.get('/audit.json?type=server.')).text) as { type: string }[]
    expect(events.map(({ type }) => type)).to.deep.equal(['server.created'])
  })

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', { pages: ['/audit.csv', '/audit.json'] })
  })
})
