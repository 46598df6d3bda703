import { expect } from 'chai'
import { actor } from '../../../support/services.js'
import { startSharedApp, type SharedApp } from './shared-app.js'

describe('the page "Shared by me"', () => {
  let app: SharedApp
  beforeEach(async () => (app = await startSharedApp()))
  afterEach(() => app.close())

  it('lists what one shares, with whom, and what of it opens nothing', async () => {
    const anna = await app.browser('anna')
    expect((await anna.get('/shared/by-me')).text).to.include('You share nothing')
    await app.share('/s2/docs/a b.txt', 'file')
    expect((await anna.get('/shared/by-me')).text)
      .to.include('/s2/docs/a b.txt')
      .and.include('>bob<')
    await app.users.setDisabled(app.bob, true, actor)
    expect((await anna.get('/shared/by-me')).text).to.include('>user disabled<')
  })
})
