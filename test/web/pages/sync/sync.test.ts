import { expect } from 'chai'
import { BrowserSession } from '../../../support/browser-session.js'
import { actor } from '../../../support/services.js'
import { startSyncApp, type SyncApp } from './sync-app.js'

describe('page of accounts in step', () => {
  let app: SyncApp

  beforeEach(async () => (app = await startSyncApp()))
  afterEach(() => app.close())

  const shown = async () => (await app.browser.get('/sync')).text
  const send = (path: string, fields: Record<string, string>) =>
    app.browser.submit(path, fields, { from: '/sync', redirect: 'manual' })

  it('is for administrators', async () => {
    const anna = await BrowserSession.loggedIn(app.url, 'anna')
    expect((await anna.get('/sync')).status).to.equal(403)
    expect((await anna.submit('/sync/plan', {}, { from: '/dashboard' })).status).to.equal(403)
    expect((await anna.submit('/sync/rotate', {}, { from: '/dashboard' })).status).to.equal(403)
    expect(await app.sync.queue.counts(1)).to.include({ waiting: 2, queued: 0 })
  })

  it('says what is different of each account, whose it is, and names the servers that are left alone', async () => {
    await app.servers.create({ alias: 'beta', protocol: 'ftp', host: 'beta.example.com' }, actor)
    expect(await shown())
      .to.include('waits for a yes')
      .and.include(`href="/permissions/${app.permissionId}">anna`)
      .and.include('>beta</a>')
    await app.applied()
    expect(await shown())
      .to.include('>in step<')
      .and.not.include('waits for a yes')
    app.accounts.homes.clear()
    await app.sync.synchroniser.plan(undefined, actor)
    expect(await shown()).to.include('/home/anna is gone or not its own')
  })

  it('shows all accounts of one server or of one user, and on the page of all only those that are not in step', async () => {
    await app.grant('bert')
    await app.applied()
    const bert = '<th scope="row">bert</th>'
    expect(await shown())
      .to.include('2 in step')
      .and.not.include(bert)
    const text = async (query: string) => (await app.browser.get(`/sync?${query}`)).text
    expect(await text(`server=${app.alpha}`)).to.include(bert)
    expect(await text('user=bert'))
      .to.include(bert)
      .and.not.include('<th scope="row">anna</th>')
    expect(await text('user=nobody')).to.include('No managed accounts')
  })

  it('tells of each run what it was and what became of it', async () => {
    expect(await shown()).to.match(/Change 1<[^]*>waits for a yes<\/span> 2 steps/)
    await app.applied()
    expect(await shown())
      .to.match(/Plan 2<[^]*>done<\/span> 2 steps/)
      .and.match(/Change 1<[^]*>replaced<\/span> a newer plan/)
  })

  it('makes a plan and leads to it, and changes nothing', async () => {
    const { status, headers } = await send('/sync/plan', {})
    expect(status).to.equal(303)
    expect(headers.get('location')).to.match(/^\/sync\/plans\/\d+$/)
    expect(app.accounts.log).to.deep.equal([])
  })

  it('says why a server cannot be read', async () => {
    app.accounts.fault = () => new Error('the reason')
    await send('/sync/plan', {})
    expect(await shown()).to.include('the reason')
  })

  it('lets a foreign account be adopted by name', async () => {
    app.accounts.add('anna')
    await send('/sync/plan', {})
    expect(await shown())
      .to.include('>refused<')
      .and.include('action="/sync/adopt"')
    await send('/sync/adopt', { serverId: String(app.alpha), account: 'anna' })
    expect(await shown())
      .to.include('anna is managed now')
      .and.not.include('action="/sync/adopt"')
    expect(app.accounts.log).to.deep.equal([])
    await send('/sync/adopt', { serverId: String(app.alpha), account: 'nobody' })
    expect(await shown()).to.include('There is no account nobody on alpha.')
  })

  it('gives new secrets, and leads to how far that is', async () => {
    expect((await send('/sync/rotate', {})).headers.get('location')).to.equal('/sync')
    expect(await shown()).to.include('None of these accounts has a secret of the gateway.')
    await app.applied()
    const [account] = await app.sync.accounts.known()
    const rotated = await send('/sync/rotate', { accountId: String(account?.id) })
    const plan = Number(/\d+$/.exec(rotated.headers.get('location') ?? '')?.[0])
    const steps = await app.sync.queue.steps({ runId: plan })
    expect(steps.map(({ kind, account }) => `${kind} ${account}`)).to.deep.equal(['set-secret anna'])
  })

  it('decides what becomes of an account only after its permission is gone', async () => {
    await app.applied()
    const [account] = await app.sync.accounts.known()
    const path = `/sync/accounts/${account?.id}/ending`
    await send(path, { ending: 'archive' })
    expect(await shown())
      .to.include('take it away first')
      .and.not.include('Archive home')
    await app.permissions.revoke(app.permissionId, actor)
    await app.sync.synchroniser.idle()
    expect(await shown())
      .to.include('disabled, files kept')
      .and.include('Archive home')
    await send(path, { ending: 'archive' })
    expect((await app.sync.accounts.known())[0]).to.include({ ending: 'archive' })
  })

  it('shows no secret', async () => {
    await app.applied()
    const secret = app.accounts.accounts.get('anna')?.secret ?? ''
    expect(secret).to.have.length(28)
    expect(await shown()).to.not.include(secret)
  })
})
