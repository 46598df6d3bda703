import { expect } from 'chai'
import { ShareService } from '../../src/shares/share-service.js'
import type { NewShare } from '../../src/shares/share-input.js'
import { actor, audited, FINGERPRINT, openTestServices, rejectionOf, type TestServices } from '../support/services.js'

describe('ShareService', () => {
  let services: TestServices
  let shares: ShareService
  let now: number
  let anna: number
  let bob: number
  let eve: number
  let serverId: number
  let permissionId: number

  beforeEach(async () => {
    services = await openTestServices()
    now = Date.now()
    shares = new ShareService(services.database, services.audit, () => now)
    const { users, servers, permissions } = services
    const add = async (username: string) => (await users.create({ username, password: 'the password' }, actor)).id
    anna = await add('anna')
    bob = await add('bob')
    eve = await add('eve')
    const server = { alias: 's2', protocol: 'sftp', host: 'memory.test', trust: { fingerprint: FINGERPRINT } } as const
    serverId = (await servers.create(server, actor)).id
    permissionId = (await permissions.grant({ userId: anna, serverId }, actor)).id
  })
  afterEach(() => services.close())

  const share = (changes: Partial<NewShare> = {}, owner = anna) =>
    shares.create(owner, { path: '/s2/docs/a.txt', recipient: 'bob', ...changes }, 'file', actor)

  const opens = async (id: number, userId = bob) =>
    (await shares.opened(id, userId).catch(() => undefined)) !== undefined

  it('lets one user see what another one shares, and nobody else', async () => {
    const made = await share({ note: ' Look at this ', endsAt: '2090-12-31' })
    expect(made).to.deep.include({
      ...{ owner: 'anna', recipient: 'bob', path: '/s2/docs/a.txt', name: 'a.txt', kind: 'file', note: 'Look at this' },
      ...{ endsAt: new Date('2090-12-31T23:59:59.999Z'), serverId, permissionId, blocked: undefined },
    })
    expect(await shares.sharedBy(anna)).to.deep.equal([made])
    expect(await shares.sharedWith(bob)).to.deep.equal([made])
    for (const nobody of [anna, eve]) expect(await shares.sharedWith(nobody)).to.deep.equal([])
    expect(await shares.sharedBy(bob)).to.deep.equal([])
    expect([await opens(made.id), await opens(made.id, eve), await opens(made.id, anna)]).to.deep.equal([
      true,
      false,
      false,
    ])
  })

  it('says the same of a name that nobody has, of a disabled user and of oneself', async () => {
    await services.users.setDisabled(eve, true, actor)
    const errors = await Promise.all(
      ['nobody', 'eve', 'anna', "x' OR 1=1"].map((recipient) => rejectionOf(share({ recipient }))),
    )
    expect(new Set(errors.map(({ message }) => message))).to.deep.equal(
      new Set(['recipient: is nobody whom you can share with']),
    )
  })

  it('stops whoever guesses names, and nobody else', async () => {
    for (let guess = 0; guess < 20; guess++) await rejectionOf(share({ recipient: `guess${guess}` }))
    expect((await rejectionOf(share())).message).to.include('Too many names')
    await services.permissions.grant({ userId: eve, serverId }, actor)
    expect((await share({}, eve)).owner).to.equal('eve')
  })

  it('takes only what lies inside a server that the owner has', async () => {
    for (const path of ['/', '/s2', '/s2/', 's2', '/s2/..', '/s2/a/../..', '/s2/a\u0000', '']) {
      expect((await rejectionOf(share({ path }))).message, path).to.include('path')
    }
    expect((await rejectionOf(share({ path: '/other/a' }))).message).to.include('no permission')
    expect((await rejectionOf(share({}, eve))).message).to.include('no permission')
    expect((await rejectionOf(share({ endsAt: '2001-01-01' }))).message).to.include('in the future')
    expect((await rejectionOf(share({ note: 'x'.repeat(501) }))).message).to.include('note')
  })

  it('shares a thing once with one user', async () => {
    await share()
    expect((await rejectionOf(share({ path: '/s2//docs/./a.txt' }))).message).to.include('already')
    expect((await share({ recipient: ' EVE ' })).recipient).to.equal('eve')
  })

  it('ends at its end, to the millisecond', async () => {
    const { id } = await share({ endsAt: new Date(now + 60_000) })
    now += 59_999
    expect(await opens(id)).to.equal(true)
    now++
    expect(await opens(id)).to.equal(false)
    expect(await shares.sharedWith(bob)).to.deep.equal([])
    expect((await shares.sharedBy(anna))[0]?.blocked).to.equal('ended')
  })

  const ends: readonly [string, () => Promise<unknown>, (() => Promise<unknown>)?][] = [
    [
      'owner disabled',
      () => services.users.setDisabled(anna, true, actor),
      () => services.users.setDisabled(anna, false, actor),
    ],
    [
      'recipient disabled',
      () => services.users.setDisabled(bob, true, actor),
      () => services.users.setDisabled(bob, false, actor),
    ],
    [
      'permission ended',
      () => services.permissions.update(permissionId, { endsAt: '2001-01-01' }, actor),
      () => services.permissions.update(permissionId, { endsAt: null }, actor),
    ],
    [
      'server disabled',
      () => services.servers.setEnabled(serverId, false, actor),
      () => services.servers.setEnabled(serverId, true, actor),
    ],
    [
      'moved',
      () => services.permissions.update(permissionId, { root: 'elsewhere' }, actor),
      () => services.permissions.update(permissionId, { root: null }, actor),
    ],
    ['moved', () => services.permissions.update(permissionId, { remoteUser: 'somebody' }, actor)],
  ]
  for (const [blocked, stop, undo] of ends) {
    it(`opens nothing while: ${blocked}`, async () => {
      const { id } = await share()
      await stop()
      expect(await opens(id)).to.equal(false)
      expect(await shares.sharedWith(bob)).to.deep.equal([])
      expect([...(await shares.ended([String(id)], new Date(now)))]).to.deep.equal([String(id)])
      expect((await shares.sharedBy(anna))[0]?.blocked).to.equal(blocked)
      await undo?.()
      if (undo) expect(await opens(id)).to.equal(true)
    })
  }

  for (const [what, remove] of [
    ['permission', () => services.permissions.revoke(permissionId, actor)],
    ['owner', () => services.users.remove(anna, actor)],
    ['recipient', () => services.users.remove(bob, actor)],
    ['server', () => services.servers.remove(serverId, actor)],
  ] as const) {
    it(`goes with its ${what}, and a new one brings it not back`, async () => {
      await share()
      await remove()
      expect(await shares.list()).to.deep.equal([])
      if (what === 'permission') await services.permissions.grant({ userId: anna, serverId }, actor)
      expect(await shares.list()).to.deep.equal([])
    })
  }

  it('is changed by its owner only, and ended by both sides', async () => {
    const { id } = await share()
    expect((await rejectionOf(shares.update(id, bob, { note: 'mine' }, actor))).message).to.include('no such share')
    expect(await shares.update(id, anna, { note: 'new', endsAt: '2091-01-01' }, actor)).to.include({ note: 'new' })
    expect(await shares.update(id, anna, { endsAt: null }, actor)).to.include({ note: 'new', endsAt: undefined })
    expect((await rejectionOf(shares.end(id, eve, actor))).message).to.include('no such share')
    await shares.end(id, bob, actor)
    const again = await share()
    await shares.end(again.id, anna, actor)
    expect(await shares.list()).to.deep.equal([])
  })

  it('records who shared what with whom, and who ended it', async () => {
    const { id } = await share()
    await shares.update(id, anna, { note: 'new' }, actor)
    await shares.update(id, anna, { note: 'new' }, actor)
    await shares.end(id, anna, actor)
    expect((await audited(services)).slice(0, 3)).to.deep.equal([
      'share.ended a.txt',
      'share.updated a.txt',
      'share.created a.txt',
    ])
    const [ended, updated, created] = await services.audit.list(3)
    expect(created?.details).to.include({ owner: 'anna', recipient: 'bob', path: '/s2/docs/a.txt', kind: 'file' })
    expect(updated?.details).to.deep.include({ fields: ['note'], before: { note: '' }, after: { note: 'new' } })
    expect(ended?.details).to.deep.equal({ owner: 'anna', recipient: 'bob', path: '/s2/docs/a.txt' })
  })

  it('says of a share of others what it says of one that never was', async () => {
    const { id } = await share()
    const others = await rejectionOf(shares.get(id, eve))
    expect(others.message).to.equal((await rejectionOf(shares.get(999_999, eve))).message)
  })

  it('follows a server that is renamed', async () => {
    const { id } = await share()
    await services.servers.update(serverId, { alias: 'renamed' }, actor)
    expect((await shares.opened(id, bob)).path).to.equal('/renamed/docs/a.txt')
  })
})
