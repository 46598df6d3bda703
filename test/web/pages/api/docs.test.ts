import { expect } from 'chai'
import { OPERATIONS } from '../../../../src/web/api/operations.js'
import { BrowserSession } from '../../../support/browser-session.js'
import { startWebApp, type TestWebApp } from '../../../support/web-app.js'

describe('/api/docs', () => {
  let app: TestWebApp
  let browser: BrowserSession

  before(async () => {
    app = await startWebApp()
    browser = new BrowserSession(app.url, { Accept: 'text/html' })
  })
  after(() => app.close())

  const shown = (text: string) =>
    [...text.matchAll(/<details class="panel api-operation" id="([^"]+)"/g)].map(([, id]) => id)

  it('shows every operation to everybody', async () => {
    const { status, text } = await browser.get('/api/docs')
    expect(status).to.equal(200)
    expect(shown(text)).to.have.members(OPERATIONS.map(({ id }) => id))
    expect(text).to.include('/api/v1/openapi.json').and.include('id="object-User"')
  })

  it('finds what all words stand in', async () => {
    expect(shown((await browser.get('/api/docs?text=scan+FINGERPRINT')).text)).to.deep.equal(['servers.scan'])
    expect((await browser.get('/api/docs?text=nonsense')).text).to.include('No operation fits.')
  })

  it('shows what was searched for as text, and runs nothing of it', async () => {
    const evil = '"><script>alert(1)</script><%= 7*7 %>'
    const { text } = await browser.get(`/api/docs?text=${encodeURIComponent(evil)}`)
    expect(text).not.to.include('<script>alert')
    expect(text).to.include('&lt;%= 7*7 %&gt;')
    const settings = '/api/docs?settings[view%20options][outputFunctionName]=x;process.exit()//&text=a&text=b'
    expect((await browser.get(settings)).status).to.equal(200)
  })

  it('has no script and no style of its own in the page', async () => {
    const { text } = await browser.get('/api/docs')
    expect(text).not.to.match(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=/)
  })
})
