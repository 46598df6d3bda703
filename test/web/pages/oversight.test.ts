import { expect } from 'chai'
import type { Actor } from '../../../src/audit/actor.js'
import type { HealthSample } from '../../../src/health/health.js'
import { Activity, type RunningOperation } from '../../../src/activity/activity.js'
import { BrowserSession } from '../../support/browser-session.js'
import { actor, FINGERPRINT } from '../../support/services.js'
import { startWebApp, type TestWebApp } from '../../support/web-app.js'

const CLIENT = { address: '192.0.2.7', userAgent: '<b>Explorer</b>', requestId: 'r', via: 'app-password' } as const
const RUNNING: RunningOperation = {
  ...{ id: '5', userId: 1, user: 'anna', alias: 'alpha', path: '/alpha/<img>.bin', target: undefined, kind: 'write' },
  ...{ bytes: 512 * 1024, total: 1024 * 1024, startedAt: new Date(), client: CLIENT },
}

describe('pages of oversight', () => {
  let app: TestWebApp
  let browser: BrowserSession
  let running: RunningOperation[]
  let ended: [string, Actor][]
  let samples: HealthSample[]
  let anna: number
  let alpha: number
  let permission: number

  beforeEach(async () => {
    running = []
    ended = []
    samples = []
    const activity = new Activity()
    app = await startWebApp(() => ({
      activity: {
        running: () => running,
        clients: () => activity.clients(),
        end: (id, by) => {
          ended.push([id, by])
          return running.some((operation) => operation.id === id)
        },
      },
      health: {
        of: () => ({ state: 'down', reason: 'UNREACHABLE', since: new Date() }),
        history: () => Promise.resolve(samples),
      },
    }))
    await app.addUser('root', { role: 'admin' })
    anna = await app.addUser('anna')
    activity.seen({ userId: anna, username: 'anna' }, CLIENT)
    const trust = { fingerprint: FINGERPRINT }
    const server = { alias: 'alpha', protocol: 'sftp', host: 'files.example.com', trust } as const
    alpha = (await app.servers.create(server, actor)).id
    const grant = { userId: anna, serverId: alpha, remoteUser: '=cmd()' }
    permission = (await app.permissions.grant(grant, actor)).id
    browser = await BrowserSession.loggedIn(app.url, 'root')
  })
  afterEach(() => app.close())

  describe('review', () => {
    it('shows who reaches what with which login, last used when, and what blocks it', async () => {
      const lastUsedAt = new Date('2026-01-02T03:04:00Z')
      await app.database.usage.save([{ permissionId: permission, lastUsedAt, loginRejectedAt: lastUsedAt }])
      await app.users.setDisabled(anna, true, actor)
      const { text } = await browser.get('/review')
      expect(text).to.include('anna on alpha').and.include('=cmd()').and.include('2026-01-02T03:04:00.000Z')
      expect(text).to.include('>rejected<').and.include('>user disabled<')
    })

    it('exports what fits, and no cell runs as a formula', async () => {
      const { text } = await browser.get('/review.csv?text=alp')
      expect(text.split('\r\n')[1]).to.equal(`anna,alpha,"'=cmd()",read-write,,,,,`)
      expect((await browser.get('/review.csv?text=none')).text.trim().split('\r\n')).to.have.length(1)
    })

    it('says what to do when nobody reaches anything', async () => {
      await app.permissions.revoke(permission, actor)
      expect((await browser.get('/review')).text).to.include('Nobody can reach anything yet')
    })
  })

  describe('audit log', () => {
    it('shows the newest first, and pages by a link', async () => {
      const event = { type: 'user.disabled', object: { id: anna, name: 'anna' }, details: {} } as const
      await app.database.transaction(async (transaction) => {
        for (let n = 0; n < 100; n++) await app.audit.record(event, actor, transaction)
      })
      const first = await browser.get('/audit')
      const older = /href="(\/audit\?before=\d+)"/.exec(first.text)?.[1] ?? ''
      expect((await browser.get(older)).text)
        .to.include('user.created')
        .and.include('Newest')
    })

    it('filters by group, actor, outcome, day and text', async () => {
      const shown = async (query: string) => {
        const { text } = await browser.get(`/audit?${query}`)
        return [...text.matchAll(/<th scope="row"><span>([\w.-]+)/g)].map(([, type]) => type)
      }
      expect(await shown('type=permission.')).to.deep.equal(['permission.granted'])
      expect(await shown('type=server.&actor=tester&outcome=ok')).to.deep.equal(['server.created'])
      expect(await shown('type=user.&text=anna')).to.deep.equal(['user.created'])
      expect(await shown('to=2001-01-01')).to.deep.equal([])
      const today = new Date().toISOString().slice(0, 10)
      expect(await shown(`type=server.&from=${today}&to=${today}`)).to.deep.equal(['server.created'])
    })

    it('exports what the filter leaves, as CSV and as JSON', async () => {
      const csv = await browser.get('/audit.csv?type=server.')
      expect(csv.headers.get('content-disposition')).to.equal('attachment; filename=audit.csv')
      expect(csv.text.trim().split('\r\n')).to.have.length(2)
      const events = JSON.parse((await browser.get('/audit.json?type=server.')).text) as { type: string }[]
      expect(events.map(({ type }) => type)).to.deep.equal(['server.created'])
    })

    it('says that no event fits', async () => {
      expect((await browser.get('/audit?text=nowhere')).text).to.include('No event fits')
    })
  })

  describe('activity', () => {
    it('shows transfers with progress and who is there, names escaped', async () => {
      running = [RUNNING]
      const { text } = await browser.get('/activity')
      expect(text).to.include('value="50"').and.include('512 KiB of 1.0 MiB').and.include('/alpha/&lt;img&gt;.bin')
      expect(text).to.include('&lt;b&gt;Explorer&lt;/b&gt;').and.not.include('<b>Explorer')
    })

    it('ends one in the name of the visitor, and says when it was over already', async () => {
      running = [RUNNING]
      const visit = await browser.submit('/activity/5/end', {}, { from: '/activity' })
      expect(visit.text).to.include('The transfer was ended.')
      expect(ended[0]).to.deep.include.members(['5'])
      expect(ended[0]?.[1]).to.include({ kind: 'user', username: 'root' })
      expect((await browser.submit('/activity/6/end', {}, { from: '/activity' })).text).to.include('over already')
    })
  })

  describe('health', () => {
    it('draws the last 24 hours, equal neighbours as one bar, and says the same in words', async () => {
      const step = 5 * 60_000
      const at = (ago: number) => new Date(Math.floor(Date.now() / step) * step - ago * step)
      samples = [
        { at: at(4), state: 'down' },
        { at: at(3), state: 'up' },
        { at: at(2), state: 'up' },
        { at: at(1), state: 'up' },
      ]
      const { text } = await browser.get('/servers/health')
      expect(text.match(/class="health-up"/g)).to.have.length(1)
      expect(text).to.match(/class="health-up" x="28[34]" y="0" width="3"/)
      expect(text).to.include('answered in 75.0 % of the last 24 hours').and.include('UNREACHABLE')
    })
  })

  it('are for admins only', async () => {
    const visitor = await BrowserSession.loggedIn(app.url, 'anna')
    for (const path of [
      '/review',
      '/review.csv',
      '/audit',
      '/audit.csv',
      '/audit.json',
      '/activity',
      '/servers/health',
    ]) {
      expect((await visitor.get(path)).status, path).to.equal(403)
    }
    expect((await visitor.submit('/activity/5/end', {}, { from: '/login' })).status).to.equal(403)
    expect(ended).to.deep.equal([])
  })
})
