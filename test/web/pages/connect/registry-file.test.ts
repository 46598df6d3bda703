import { expect } from 'chai'
import { registryFile } from '../../../../src/web/pages/connect/registry-file.js'
import { BrowserSession } from '../../../support/browser-session.js'
import { startWebApp } from '../../../support/web-app.js'

describe('the registry file', () => {
  it('is what regedit takes: one header, lines that end with CR LF, ASCII only', () => {
    const text = registryFile(false)
    expect(text).to.match(/^Windows Registry Editor Version 5\.00\r\n/)
    expect(text.replaceAll('\r\n', '')).to.match(/^[ -~]*$/)
  })

  it('lets Windows send passwords over http only where there is no https', () => {
    expect(registryFile(true)).not.to.contain('BasicAuthLevel')
    expect(registryFile(false)).to.contain('"BasicAuthLevel"=dword:00000002')
  })

  it('is a download', async () => {
    const app = await startWebApp()
    try {
      await app.addUser('anna')
      const browser = await BrowserSession.loggedIn(app.url, 'anna')
      const visit = await browser.get('/connect/windows.reg')
      expect(visit.headers.get('content-disposition')).to.contain('attachment')
      expect(visit.text).to.contain('FileSizeLimitInBytes')
    } finally {
      await app.close()
    }
  })
})
