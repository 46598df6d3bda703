import { expect } from 'chai'
import { ProvisionError } from '../../../src/sync/provision-error.js'
import { actor } from '../../support/services.js'
import type { MemoryAccounts } from '../../sync/memory-accounts.js'
import { ApiFixture } from './api-fixture.js'

interface Plan {
  readonly id: number
  readonly state: string
  readonly servers: readonly { problem?: string; steps: readonly { kind: string; account: string }[] }[]
  readonly results: readonly { kind: string; state: string; reason: string | null }[]
}

describe('accounts in step over the API', () => {
  let api: ApiFixture
  let accounts: MemoryAccounts
  let anna: number

  beforeEach(async () => {
    api = await ApiFixture.start()
    accounts = api.managed.add('memory.test')
    const settings = { settings: { kind: 'system', homeBase: '/home' }, secrets: { password: 'of the admin' } }
    expect((await send('PUT', `/servers/${api.serverId}/provisioner`, settings)).status).to.equal(200)
    await api.services.permissions.revoke(api.permissionId, actor)
    const granted = { userId: api.userId, serverId: api.serverId, managed: true }
    anna = (await api.services.permissions.grant(granted, actor)).id
  })
  afterEach(() => api.stop())

  const send = (method: string, path: string, body?: unknown) =>
    api.send(method, `/api/v1${path}`, body === undefined ? {} : { body })
  const planOf = ({ json }: { json: unknown }) => json as Plan
  const plan = async () => planOf(await send('POST', '/sync/plans'))
  const applied = async () => {
    const { id } = await plan()
    expect((await send('POST', `/sync/plans/${id}/apply`, { confirm: true })).status).to.equal(200)
    await api.sync.synchroniser.idle()
    return planOf(await send('GET', `/sync/plans/${id}`))
  }
  const account = async () => {
    const { json } = await send('GET', '/sync')
    const { servers } = json as { servers: { accounts: { id: number | null; name: string; state: string }[] }[] }
    return servers[0]?.accounts.find(({ name }) => name === 'anna')
  }

  it('says how they are kept, without the secrets, until they are left alone', async () => {
    const path = `/servers/${api.serverId}/provisioner`
    const { status, json, text } = await send('GET', path)
    expect(status).to.equal(200)
    expect(json).to.include({ serverId: api.serverId, hasSecrets: true, automatic: false, rotateEvery: null })
    expect(text).to.not.include('of the admin')
    expect((await send('PUT', path, { settings: { kind: 'system', homeBase: 'nowhere' } })).status).to.equal(400)
    expect((await send('DELETE', path)).status).to.equal(204)
    expect((await send('GET', path)).status).to.equal(404)
    expect((await send('GET', '/sync')).json).to.deep.equal({ servers: [] })
  })

  it('merges secrets field by field, and refuses keys where accounts take none', async () => {
    const path = `/servers/${api.serverId}/provisioner`
    const settings = { kind: 'system', homeBase: '/home' }
    const stored = () => api.sync.provisioners.storedSecrets(api.serverId)
    expect((await send('PUT', path, { settings, secrets: { privateKey: 'a key' } })).status).to.equal(200)
    expect(await stored()).to.deep.equal(['password', 'privateKey'])
    expect((await send('PUT', path, { settings, secrets: { password: null } })).status).to.equal(200)
    expect(await stored()).to.deep.equal(['privateKey'])
    const refused = await send('PUT', path, { settings: { kind: 'pure-ftpd' }, secretKind: 'key' })
    expect(refused.status).to.equal(400)
    expect(refused.text).to.include('provisioner.secretKind').and.include('must be password')
    expect(await stored()).to.deep.equal(['privateKey'])
  })

  it('does not apply a change in whose place a newer one came', async () => {
    const { json } = await send('GET', '/sync/plans')
    const [change] = (json as { items: Plan[] }).items
    expect(change).to.include({ state: 'planned', kind: 'change' })
    await api.services.permissions.revoke(anna, actor)
    const refused = await send('POST', `/sync/plans/${change?.id}/apply`)
    expect(refused.status).to.equal(409)
    expect(refused.text).to.include('make a plan')
    await api.sync.synchroniser.idle()
    expect(accounts.log).to.deep.equal([])
  })

  it('plans, changing nothing, and does on a yes what the plan showed', async () => {
    const made = await send('POST', '/sync/plans', { serverIds: [api.serverId] })
    expect(made.status).to.equal(201)
    const { id, state, servers } = planOf(made)
    expect(made.headers.get('location')).to.equal(`/api/v1/sync/plans/${id}`)
    expect([state, servers[0]?.steps.map(({ kind }) => kind)]).to.deep.equal(['planned', ['create', 'make-home']])
    expect(accounts.log).to.deep.equal([])
    expect((await send('POST', `/sync/plans/${id}/apply`)).status).to.equal(200)
    await api.sync.synchroniser.idle()
    const after = planOf(await send('GET', `/sync/plans/${id}`))
    expect([after.state, ...after.results.map(({ state }) => state)]).to.deep.equal(['done', 'done', 'done'])
    expect((await send('POST', `/sync/plans/${id}/apply`)).status).to.equal(409)
    expect(await account()).to.include({ state: 'in-step', origin: 'created', home: '/home/anna' })
    const listed = (await send('GET', '/sync/plans')).json as { items: Plan[] }
    expect(listed.items[0]).to.include({ id, state: 'done' })
  })

  it('tells why steps wait, and leaves them when that is asked', async () => {
    accounts.fault = (call) =>
      call === 'create' ? new ProvisionError('UNREACHABLE', 'It does not answer.') : undefined
    const waiting = await applied()
    expect(waiting.state).to.equal('running')
    expect(waiting.results[0]).to.include({ kind: 'create', state: 'queued', reason: 'It does not answer.' })
    const aborted = await send('POST', `/sync/plans/${waiting.id}/abort`)
    expect(planOf(aborted).results.map(({ state }) => state)).to.deep.equal(['aborted', 'aborted'])
    expect((await send('POST', `/sync/plans/${waiting.id}/abort`)).status).to.equal(409)
    accounts.fault = () => new ProvisionError('UNREACHABLE', 'Nor now.')
    expect((await plan()).servers[0]).to.include({ problem: 'Nor now.' })
  })

  it('gives new secrets that no answer shows', async () => {
    expect((await send('POST', '/sync/rotate')).json).to.deep.equal({ plan: null })
    await applied()
    const before = accounts.accounts.get('anna')?.secret ?? ''
    const rotated = await send('POST', '/sync/rotate', { accountId: (await account())?.id })
    const { plan: id } = rotated.json as { plan: number }
    const read = await send('GET', `/sync/plans/${id}`)
    expect(planOf(read).results.map(({ kind }) => kind)).to.deep.equal(['set-secret'])
    const { text } = await send('GET', '/sync')
    for (const answer of [rotated.text, read.text, text]) expect(answer).to.not.include(before)
  })

  it('adopts what is there, by name, and only what a permission wants', async () => {
    accounts.add('anna')
    accounts.add('stranger')
    expect((await plan()).servers[0]?.steps).to.deep.equal([])
    expect(await account()).to.include({ id: null, state: 'refused', adoptable: true })
    const adopt = (account: string) => send('POST', '/sync/adopt', { serverId: api.serverId, account })
    expect((await adopt('anna')).status).to.equal(204)
    expect(await account()).to.include({ origin: 'adopted' })
    expect((await adopt('anna')).status).to.equal(409)
    expect((await adopt('stranger')).status).to.equal(409)
    expect((await adopt('nobody')).status).to.equal(404)
    expect(accounts.log).to.deep.equal([])
  })

  it('decides what becomes of an account only after its permission is gone', async () => {
    await applied()
    const path = `/sync/accounts/${(await account())?.id}/ending`
    expect((await send('PUT', path, { ending: 'archive' })).status).to.equal(409)
    await api.services.permissions.revoke(anna, actor)
    expect((await send('PUT', path, { ending: 'burn' })).status).to.equal(400)
    expect((await send('PUT', path, { ending: 'archive' })).status).to.equal(204)
    expect((await applied()).results.map(({ kind }) => kind)).to.deep.equal(['disable', 'archive-home'])
    expect((await send('PUT', '/sync/accounts/999/ending', { ending: 'keep' })).status).to.equal(404)
  })
})
