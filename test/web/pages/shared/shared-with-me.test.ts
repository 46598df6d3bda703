import { expect } from 'chai'
import { startSharedApp, type SharedApp } from './shared-app.js'

describe('the page "Shared with me"', () => {
  let app: SharedApp
  beforeEach(async () => (app = await startSharedApp()))
  afterEach(() => app.close())

  it('lists what others share, from whom, and nothing of where it is', async () => {
    const bob = await app.browser('bob')
    expect((await bob.get('/shared')).text)
      .to.include('Nothing is shared with you')
      .and.include('href="/shared"')
    const id = await app.share('/s2/docs', 'directory')
    const { text } = await bob.get('/shared')
    expect(text).to.include(`href="/shared/${id}/"`).and.include('>anna<').and.include(`href="/shared/${id}/?zip"`)
    expect(text).not.to.include('/s2')
    expect((await (await app.browser('anna')).get('/shared')).text).to.include('Nothing is shared with you')
  })
})
