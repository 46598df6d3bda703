import { expect } from 'chai'
import type { RunningOperation } from '../../../../src/activity/activity.js'
import type { Actor } from '../../../../src/audit/actor.js'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { CLIENT, startOverseenApp, type OverseenApp } from '../overseen-app.js'

const RUNNING: RunningOperation = {
  ...{ id: '5', userId: 1, user: 'anna', alias: 'alpha', path: '/alpha/<img>.bin', target: undefined, kind: 'write' },
  ...{ bytes: 512 * 1024, total: 1024 * 1024, startedAt: new Date(), client: CLIENT },
}

describe('activity', () => {
  let app: OverseenApp
  let running: RunningOperation[]
  let ended: [string, Actor][]

  beforeEach(async () => {
    running = []
    ended = []
    app = await startOverseenApp((activity) => ({
      activity: {
        running: () => running,
        clients: () => activity.clients(),
        end: (id, by) => {
          ended.push([id, by])
          return running.some((operation) => operation.id === id)
        },
      },
    }))
  })
  afterEach(() => app.close())

  it('shows transfers with progress and who is there, names escaped', async () => {
    running = [RUNNING]
    const { text } = await app.browser.get('/activity')
    expect(text).to.include('value="50"').and.include('512 KiB of 1.0 MiB').and.include('/alpha/&lt;img&gt;.bin')
    expect(text).to.include('&lt;b&gt;Explorer&lt;/b&gt;').and.not.include('<b>Explorer')
  })

  it('ends one in the name of the visitor, and says when it was over already', async () => {
    running = [RUNNING]
    const visit = await app.browser.submit('/activity/5/end', {}, { from: '/activity' })
    expect(visit.text).to.include('The transfer was ended.')
    expect(ended[0]).to.deep.include.members(['5'])
    expect(ended[0]?.[1]).to.include({ kind: 'user', username: 'root' })
    expect((await app.browser.submit('/activity/6/end', {}, { from: '/activity' })).text).to.include('over already')
  })

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', { pages: ['/activity'], forms: ['/activity/5/end'] })
    expect(ended).to.deep.equal([])
  })
})
