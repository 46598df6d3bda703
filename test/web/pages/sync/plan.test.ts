import { expect } from 'chai'
import { ProvisionError } from '../../../../src/sync/provision-error.js'
import { actor } from '../../../support/services.js'
import { startSyncApp, type SyncApp } from './sync-app.js'

describe('page of a plan', () => {
  let app: SyncApp

  beforeEach(async () => (app = await startSyncApp()))
  afterEach(() => app.close())

  const planned = async () => (await app.sync.synchroniser.plan(undefined, actor)).id
  const shown = async (id: number) => (await app.browser.get(`/sync/plans/${id}`)).text
  const send = (id: number, what: 'apply' | 'abort', fields: Record<string, string> = {}) =>
    app.browser.submit(`/sync/plans/${id}/${what}`, fields, { from: '/sync', redirect: 'manual' })

  it('shows each step with its difference before anything is done, and what is left alone', async () => {
    app.accounts.add('foreign')
    const text = await shown(await planned())
    expect(text).to.include('is not there yet, for anna').and.include('>create<').and.include('>make-home<')
    expect(text).to.include('nobody wants it here').and.include('left alone')
    expect(text).to.match(/<button[^>]*>Apply<\/button>/)
    expect(app.accounts.log).to.deep.equal([])
  })

  it('is applied once, and shows what became of each step', async () => {
    const id = await planned()
    expect((await send(id, 'apply')).headers.get('location')).to.equal(`/sync/plans/${id}`)
    await app.sync.synchroniser.idle()
    expect(app.accounts.log).to.deep.equal(['create anna', 'make-home anna'])
    expect(await shown(id))
      .to.include('2 done')
      .and.not.include('>Apply<')
    const again = await send(id, 'apply')
    expect(again.status).to.equal(422)
    expect(again.text).to.include('applied or given up already')
  })

  it('wants a second yes where it takes much away', async () => {
    for (const name of ['b', 'c', 'd', 'e', 'f']) await app.grant(name)
    await app.applied()
    // Not by the service: this is what the passing of time does.
    await app.database.models.Permission.update({ endsAt: new Date(Date.now() - 1000) }, { where: {} })
    const id = await planned()
    expect(await shown(id))
      .to.include('6 of them take something away')
      .and.include('name="confirm"')
    const refused = await send(id, 'apply')
    expect([refused.status, refused.text.includes('say that this is meant')]).to.deep.equal([422, true])
    expect((await send(id, 'apply', { confirm: 'on' })).status).to.equal(303)
    await app.sync.synchroniser.idle()
    expect([...app.accounts.accounts.values()].map(({ state }) => state)).to.not.include('enabled')
  })

  it('says why steps wait, and leaves them when it is stopped', async () => {
    const id = await planned()
    app.accounts.fault = () => new ProvisionError('UNREACHABLE', 'alpha does not answer.')
    await send(id, 'apply')
    await app.sync.synchroniser.idle()
    expect(await shown(id))
      .to.include('alpha does not answer.')
      .and.include('2 wait')
      .and.include('>Stop<')
    expect((await send(id, 'abort')).status).to.equal(303)
    expect(await shown(id))
      .to.include('2 left')
      .and.not.include('>Stop<')
    expect((await send(id, 'abort')).text).to.include('has ended already')
  })

  it('is 404 when there is none', async () => {
    expect((await app.browser.get('/sync/plans/999')).status).to.equal(404)
  })
})
