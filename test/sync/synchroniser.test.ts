import { expect } from 'chai'
import fc from 'fast-check'
import { ConflictError } from '../../src/errors.js'
import type { Endpoint, Login } from '../../src/storage/driver.js'
import { ProvisionError } from '../../src/sync/provision-error.js'
import { actor, audited, rejectionOf } from '../support/services.js'
import { openSync, SETTINGS, type SyncFixture } from './sync-fixture.js'

describe('Synchroniser', () => {
  let fixture: SyncFixture

  beforeEach(async () => (fixture = await openSync()))
  afterEach(() => fixture.close())

  async function granted() {
    const user = await fixture.user('anna')
    const { id, memory } = await fixture.server('alpha')
    const permission = await fixture.grant(user.id, id)
    return { user, serverId: id, memory, permission }
  }

  async function inStep() {
    const all = await granted()
    await fixture.planAndApply()
    all.memory.log.length = 0
    return all
  }

  const planned = async () => (await fixture.sync.plan(undefined, actor)).plan.flatMap(({ steps }) => steps)
  const kinds = async () => (await planned()).map(({ kind }) => kind)

  it('shows what it would do, and does it only after a yes', async () => {
    const { memory } = await granted()
    const run = await fixture.sync.plan(undefined, actor)
    expect(run.plan[0]?.steps.map(({ account, kind }) => `${kind} ${account}`)).to.deep.equal([
      'create anna',
      'make-home anna',
    ])
    await fixture.sync.idle()
    expect(memory.log).to.deep.equal([])
    await fixture.sync.apply(run.id, actor)
    await fixture.sync.idle()
    expect(memory.log).to.deep.equal(['create anna', 'make-home anna'])
    expect(await fixture.services.queue.run(run.id)).to.include({ state: 'done' })
    expect(await planned()).to.deep.equal([])
  })

  it('keeps the secret that it made as the permission’s own, and tells it to nobody', async () => {
    const { permission, memory } = await inStep()
    const login = await fixture.services.permissions.login(permission.id)
    const secret = memory.accounts.get('anna')?.secret ?? ''
    expect(secret).to.match(/^[a-zA-Z2-9]{28}$/)
    expect(login).to.include({ username: 'anna', password: secret })
    const told = JSON.stringify([
      await fixture.services.audit.list(),
      await fixture.services.queue.runs(),
      await fixture.services.queue.steps({}),
      await fixture.accounts.known(),
    ])
    expect(told).to.include('anna').and.not.to.include(secret)
  })

  it('records each step in the audit, as done by whoever said yes', async () => {
    await inStep()
    expect((await audited(fixture.services)).slice(0, 3)).to.deep.equal([
      'account.home-made anna@alpha',
      'account.created anna@alpha',
      'permission.credentials-changed anna@alpha',
    ])
  })

  it('disables the account of a revoked permission by itself, and keeps its files', async () => {
    const { permission, memory } = await inStep()
    await fixture.services.permissions.revoke(permission.id, actor)
    await fixture.sync.idle()
    expect(memory.accounts.get('anna')).to.include({ state: 'disabled' })
    expect(memory.log).to.deep.equal(['disable anna'])
    expect([...memory.homes]).to.deep.equal(['/home/anna'])
    expect(await planned()).to.deep.equal([])
  })

  it('disables and enables accounts together with their user', async () => {
    const { user, memory } = await inStep()
    await fixture.services.users.setDisabled(user.id, true, actor)
    await fixture.sync.idle()
    await fixture.services.users.setDisabled(user.id, false, actor)
    await fixture.sync.idle()
    expect(memory.log).to.deep.equal(['disable anna', 'enable anna'])
  })

  it('queues nothing for a change that was rolled back', async () => {
    const { permission, memory } = await inStep()
    const work = fixture.services.database.change(async (transaction) => {
      await fixture.services.permissions.revoke(permission.id, actor, transaction)
      throw new ConflictError('no')
    })
    expect(await rejectionOf(work)).to.be.instanceOf(ConflictError)
    await fixture.sync.idle()
    expect(memory.log).to.deep.equal([])
  })

  it('creates at once where the server is kept in step automatically', async () => {
    const user = await fixture.user('anna')
    const { id, memory } = await fixture.server('alpha', { automatic: true })
    await fixture.grant(user.id, id)
    await fixture.sync.idle()
    expect(memory.log).to.deep.equal(['create anna', 'make-home anna'])
  })

  it('lets an account wait for a yes elsewhere, as one step of the plan that follows', async () => {
    await granted()
    expect((await fixture.services.queue.steps({ state: 'waiting' })).map(({ kind }) => kind)).to.deep.equal([
      'create',
      'make-home',
    ])
    await fixture.planAndApply()
    expect(await fixture.services.queue.steps({ state: 'waiting' })).to.deep.equal([])
  })

  describe('a step that waits for a yes', () => {
    const waiting = async () =>
      (await fixture.services.queue.steps({ state: 'waiting' })).map(({ kind, account }) => `${kind} ${account}`)

    async function homeChanged() {
      const all = await inStep()
      const waits = async () => expect(await waiting()).to.deep.equal(['fix-home anna', 'make-home anna'])
      await fixture.services.permissions.update(all.permission.id, { home: '/home/new' }, actor)
      await waits()
      const [change] = await fixture.services.queue.runs(1)
      const applied = async () => {
        await fixture.sync.apply(change?.id ?? 0, actor)
        await fixture.sync.idle()
        expect(all.memory.accounts.get('anna')?.home).to.equal('/home/new')
        expect([await waiting(), await planned()]).to.deep.equal([[], []])
      }
      return { ...all, change, waits, applied }
    }

    it('still waits when the end of an old secret was queued beside it', async () => {
      const { waits, applied, memory } = await homeChanged()
      const { ManagedAccount } = fixture.services.database.models
      await ManagedAccount.update({ oldSecretUntil: new Date(0) }, { where: {} })
      fixture.sync.start()
      await fixture.sync.idle()
      expect(memory.log).to.deep.equal(['set-secret anna'])
      await waits()
      await applied()
    })

    it('still waits when its schedule renewed the secret', async () => {
      const { serverId, waits, applied } = await homeChanged()
      const { ManagedAccount } = fixture.services.database.models
      await fixture.provisioners.set(serverId, { settings: { kind: 'system' }, rotateEvery: 1 }, actor)
      await ManagedAccount.update({ secretSetAt: new Date(0) }, { where: {} })
      const { kind, state, plan } = await fixture.sync.check(serverId)
      expect([kind, state, plan[0]?.steps.map(({ kind }) => kind)]).to.deep.equal(['repair', 'running', ['set-secret']])
      await fixture.sync.idle()
      await waits()
      await applied()
    })

    it('still waits when somebody wanted a new secret', async () => {
      const { waits, applied } = await homeChanged()
      await fixture.decisions.rotate({}, actor)
      await fixture.sync.idle()
      await waits()
      await applied()
    })

    it('still waits when its user was disabled and came back', async () => {
      const { user, waits, applied } = await homeChanged()
      for (const disabled of [true, false]) {
        await fixture.services.users.setDisabled(user.id, disabled, actor)
        await fixture.sync.idle()
        await waits()
      }
      await applied()
    })

    it('still waits after more checks than the history holds', async () => {
      const { change, waits } = await homeChanged()
      const { queue, database } = fixture.services
      await database.transaction(async (transaction) => {
        for (let check = 0; check < 502; check++) await queue.remember([], 'repair', actor, transaction)
      })
      await waits()
      expect(await queue.run(change?.id ?? 0)).to.include({ state: 'planned' })
    })

    it('to make an account makes it with the home that was chosen meanwhile', async () => {
      const { permission, memory } = await granted()
      const [change] = await fixture.services.queue.runs(1)
      await fixture.services.permissions.update(permission.id, { home: '/home/new' }, actor)
      expect(await waiting()).to.deep.equal(['create anna', 'make-home anna'])
      await fixture.sync.apply(change?.id ?? 0, actor)
      await fixture.sync.idle()
      expect(memory.accounts.get('anna')?.home).to.equal('/home/new')
    })

    it('goes with its permission, and its change cannot be applied any more', async () => {
      const { permission, memory } = await granted()
      const [change] = await fixture.services.queue.runs(1)
      await fixture.services.permissions.revoke(permission.id, actor)
      expect(await waiting()).to.deep.equal([])
      const error = await rejectionOf(fixture.sync.apply(change?.id ?? 0, actor))
      expect(error).to.be.instanceOf(ConflictError).with.property('message').that.includes('newer plan or change')
      await fixture.sync.idle()
      expect(memory.log).to.deep.equal([])
    })

    it('is part of a plan of its account, whatever that plan found', async () => {
      const { memory } = await homeChanged()
      memory.accounts.delete('anna')
      await fixture.planAndApply()
      expect(await waiting()).to.deep.equal([])
    })
  })

  describe('drift', () => {
    const cases: [string, (fixture: { memory: Awaited<ReturnType<typeof granted>>['memory'] }) => void, string[]][] = [
      ['an account that was deleted', ({ memory }) => memory.accounts.delete('anna'), ['create', 'make-home']],
      ['a home that was removed', ({ memory }) => memory.homes.delete('/home/anna'), ['make-home']],
      ['an account that was disabled', ({ memory }) => change(memory, { state: 'disabled' }), ['enable']],
      ['a home that was moved', ({ memory }) => change(memory, { home: '/tmp/x' }), ['fix-home', 'make-home']],
      ['a password that was changed', ({ memory }) => change(memory, { secret: 'other' }), ['set-secret']],
    ]
    for (const [what, harm, steps] of cases) {
      it(`finds and mends ${what}`, async () => {
        const { memory, permission } = await inStep()
        harm({ memory })
        const run = await fixture.sync.plan(undefined, actor, { logins: true })
        expect(run.plan[0]?.steps.map(({ kind }) => kind)).to.deep.equal(steps)
        await fixture.sync.apply(run.id, actor)
        await fixture.sync.idle()
        const login = await fixture.services.permissions.login(permission.id)
        expect(memory.accounts.get('anna')).to.include({
          state: 'enabled',
          home: '/home/anna',
          secret: login.password,
        })
        expect([...memory.homes]).to.include('/home/anna')
        expect(await planned()).to.deep.equal([])
      })
    }

    it('ends the connections of before once it is mended, and changes no secret', async () => {
      const { memory, user, permission } = await inStep()
      const { access, permissions } = fixture.services
      const keyNow = async () => (await access.load([user.id])).get(user.id)?.access.mounts[0]?.account.key
      for (const drift of [() => memory.homes.clear(), () => change(memory, { state: 'disabled' })]) {
        const before = { key: await keyNow(), login: await permissions.login(permission.id) }
        drift()
        await fixture.planAndApply()
        expect(await keyNow())
          .to.be.a('string')
          .and.not.equal(before.key)
        expect(await permissions.login(permission.id)).to.deep.equal(before.login)
        expect(await planned()).to.deep.equal([])
      }
    })

    it('is mended by a check alone where the server is kept in step automatically', async () => {
      const { memory, serverId } = await inStep()
      const settings = { kind: 'system' as const }
      await fixture.provisioners.set(serverId, { settings, automatic: true }, actor)
      change(memory, { state: 'disabled' })
      await fixture.sync.check(serverId)
      await fixture.sync.idle()
      expect(memory.log).to.deep.equal(['enable anna'])
    })

    it('tries each secret once, and stops when the server has refused three', async () => {
      const { id, memory } = await fixture.server('alpha')
      for (const name of ['a', 'b', 'c', 'd', 'e']) await fixture.grant((await fixture.user(name)).id, id)
      await fixture.planAndApply()
      for (const account of memory.accounts.values()) account.secret = 'other'
      memory.logins.length = 0
      await fixture.sync.check(id)
      expect(memory.logins).to.deep.equal(['a rejected', 'b rejected', 'c rejected'])
    })

    it('tells of accounts that nobody wants, and leaves them', async () => {
      const { memory } = await granted()
      memory.add('foreign')
      const { run, planned } = await fixture.planAndApply()
      expect(planned.plan[0]?.findings).to.deep.equal([
        { account: 'foreign', kind: 'unknown', detail: 'nobody wants it here' },
      ])
      expect(run.state).to.equal('done')
      expect(memory.accounts.get('foreign')).to.include({ state: 'enabled', secret: 'theirs' })
    })
  })

  describe('a foreign account of the wanted name', () => {
    it('is refused until it is adopted, and adopting changes nothing there', async () => {
      const { memory, serverId } = await granted()
      memory.add('anna', { home: '/srv/anna' })
      const { planned: before } = await fixture.planAndApply()
      expect(before.plan[0]?.steps).to.deep.equal([])
      expect(before.plan[0]?.findings.map(({ kind }) => kind)).to.deep.equal(['adopt'])
      await fixture.decisions.adopt(serverId, 'anna', actor)
      expect(memory.log).to.deep.equal([])
      expect(await planned()).to.deep.equal([
        { account: 'anna', kind: 'set-secret', detail: 'has no secret of the gateway yet' },
      ])
      await fixture.planAndApply()
      expect(memory.accounts.get('anna')).to.include({ home: '/srv/anna', state: 'enabled' })
      expect(memory.accounts.get('anna')?.secret).to.not.equal('theirs')
    })

    it('keeps its password when the permission knows one', async () => {
      const { memory, serverId, permission } = await granted()
      memory.add('anna', { secret: 'known' })
      await fixture.services.permissions.setCredentials(permission.id, { password: 'known' }, actor)
      await fixture.decisions.adopt(serverId, 'anna', actor)
      expect(await planned()).to.deep.equal([])
    })

    it('that came between plan and apply is left, and the step is refused', async () => {
      const { memory } = await granted()
      const run = await fixture.sync.plan(undefined, actor)
      memory.add('anna')
      await fixture.sync.apply(run.id, actor)
      await fixture.sync.idle()
      expect(memory.log).to.deep.equal([])
      expect(memory.accounts.get('anna')?.secret).to.equal('theirs')
      expect((await fixture.services.queue.run(run.id)).state).to.equal('failed')
    })

    it('cannot be adopted when it belongs to the system', async () => {
      const { memory, serverId } = await granted()
      memory.add('anna', { reserved: 'uid 2' })
      const { planned: before } = await fixture.planAndApply()
      expect(before.plan[0]?.findings.map(({ kind }) => kind)).to.deep.equal(['refused'])
      expect(await rejectionOf(fixture.decisions.adopt(serverId, 'anna', actor))).to.be.instanceOf(ConflictError)
    })
  })

  it('takes an account away in steps, each decided by itself', async () => {
    const { permission, memory } = await inStep()
    const [account] = await fixture.accounts.known()
    const id = account?.id ?? 0
    expect(await rejectionOf(fixture.decisions.setEnding(id, 'remove', actor))).to.be.instanceOf(ConflictError)
    await fixture.services.permissions.revoke(permission.id, actor)
    await fixture.sync.idle()
    expect(await kinds()).to.deep.equal([])
    await fixture.decisions.setEnding(id, 'archive', actor)
    expect(await kinds()).to.deep.equal(['archive-home'])
    await fixture.planAndApply()
    await fixture.decisions.setEnding(id, 'remove', actor)
    expect(await kinds()).to.deep.equal(['remove'])
    await fixture.planAndApply()
    expect(memory.log).to.deep.equal(['disable anna', 'archive-home anna', 'remove anna'])
    expect(await fixture.accounts.known()).to.deep.equal([])
  })

  it('wants a second yes for more than five removals', async () => {
    const { id, memory } = await fixture.server('alpha')
    const users = []
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) users.push(await fixture.user(name))
    for (const user of users) await fixture.grant(user.id, id)
    await fixture.planAndApply()
    const past = new Date(Date.now() - 1000)
    // Not by the service: this is what the passing of time does.
    await fixture.services.database.models.Permission.update({ endsAt: past }, { where: {} })
    const run = await fixture.sync.plan(undefined, actor)
    expect(await rejectionOf(fixture.sync.apply(run.id, actor))).to.be.instanceOf(ConflictError)
    await fixture.sync.check(id)
    await fixture.sync.idle()
    expect([...memory.accounts.values()].map(({ state }) => state)).to.not.include('disabled')
    await fixture.sync.apply(run.id, actor, { confirm: true })
    await fixture.sync.idle()
    expect([...memory.accounts.values()].map(({ state }) => state)).to.not.include('enabled')
  })

  it('keeps the steps of a dead server, with the reason, while the others go on; they run once it is back', async () => {
    const user = await fixture.user('anna')
    const alpha = await fixture.server('alpha')
    const beta = await fixture.server('beta')
    for (const { id } of [alpha, beta]) await fixture.grant(user.id, id)
    const run = await fixture.sync.plan(undefined, actor)
    alpha.memory.fault = () => new ProvisionError('UNREACHABLE', 'It does not answer.')
    await fixture.sync.apply(run.id, actor)
    await fixture.sync.idle()
    expect(beta.memory.log).to.deep.equal(['create anna', 'make-home anna'])
    const waiting = await fixture.services.queue.steps({ state: 'queued' })
    expect(waiting.map(({ kind, reason }) => `${kind}: ${reason}`)).to.deep.equal([
      'create: It does not answer.',
      'make-home: It does not answer.',
    ])
    expect(waiting[0]?.attempts).to.be.greaterThan(0)
    alpha.memory.fault = undefined
    for (;;) {
      await fixture.sync.idle()
      if ((await fixture.services.queue.run(run.id)).state !== 'running') break
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(alpha.memory.log).to.deep.equal(['create anna', 'make-home anna'])
  })

  it('goes on after a crash with what is there, and makes nothing twice', async () => {
    const { memory, permission } = await granted()
    const run = await fixture.sync.plan(undefined, actor)
    // The account was made, and nobody lived to write it down.
    memory.fault = (call) => (call === 'make-home' ? new ProvisionError('UNREACHABLE', 'cut') : undefined)
    const { database } = fixture.services
    const change = database.change.bind(database)
    database.change = () => Promise.reject(new ProvisionError('UNREACHABLE', 'the process is gone'))
    await fixture.sync.apply(run.id, actor)
    await fixture.sync.idle()
    await fixture.sync.stop()
    expect(memory.log.slice(0, 1)).to.deep.equal(['create anna'])
    const secret = memory.accounts.get('anna')?.secret
    database.change = change
    memory.fault = undefined
    fixture.sync = fixture.newSynchroniser()
    await database.models.Provisioner.update({ nextAttemptAt: null }, { where: {} })
    await fixture.sync.idle()
    expect((await fixture.services.queue.run(run.id)).state).to.equal('done')
    expect((await fixture.services.permissions.login(permission.id)).password).to.equal(secret)
    expect(memory.accounts.get('anna')?.secret).to.equal(secret)
    expect(await planned()).to.deep.equal([])
  })

  it('does not begin what was given up', async () => {
    const { memory } = await granted()
    const run = await fixture.sync.plan(undefined, actor)
    memory.fault = () => new ProvisionError('UNREACHABLE', 'It does not answer.')
    await fixture.sync.apply(run.id, actor)
    await fixture.sync.idle()
    await fixture.sync.abort(run.id, actor)
    memory.fault = undefined
    await fixture.sync.idle()
    expect(memory.log).to.deep.equal([])
    expect((await fixture.services.queue.run(run.id)).state).to.equal('aborted')
  })

  it('changes a secret on the server first, and only then in the gateway', async () => {
    const { memory, permission } = await inStep()
    const before = await fixture.services.permissions.login(permission.id)
    memory.logins.length = 0
    await fixture.decisions.rotate({}, actor)
    await fixture.sync.idle()
    const after = await fixture.services.permissions.login(permission.id)
    expect(after.password).to.not.equal(before.password)
    expect(memory.accounts.get('anna')?.secret).to.equal(after.password)
    expect(memory.log).to.deep.equal(['set-secret anna'])
    expect(memory.logins).to.deep.equal(['anna in'])
    expect(await planned()).to.deep.equal([])
  })

  describe('the secret of before', () => {
    async function rotated(grace: number, secretKind: 'key' | 'password') {
      fixture.oldSecretGrace = grace
      fixture.sync = fixture.newSynchroniser()
      fixture.decisions = fixture.newDecisions()
      const user = await fixture.user('anna')
      const { id, memory } = await fixture.server('alpha', { protocol: 'sftp', secretKind })
      const permission = await fixture.grant(user.id, id)
      await fixture.planAndApply()
      const before = await fixture.services.permissions.login(permission.id)
      memory.log.length = 0
      await fixture.decisions.rotate({}, actor)
      await fixture.sync.idle()
      const letsIn = async (login: Login) => {
        const connect = memory.drivers.driverFor('sftp').connect({} as Endpoint, login)
        return connect.then(
          () => true,
          () => false,
        )
      }
      const after = await fixture.services.permissions.login(permission.id)
      return { serverId: id, memory, permission, before, after, letsIn }
    }

    it('that is a key stays for requests that hold it, and the plan is empty meanwhile', async () => {
      const { memory, before, after, letsIn } = await rotated(60_000, 'key')
      expect(after.privateKey).to.be.a('string').and.not.equal(before.privateKey)
      expect([await letsIn(before), await letsIn(after)]).to.deep.equal([true, true])
      fixture.sync.start()
      await fixture.sync.idle()
      expect(memory.log).to.deep.equal(['set-secret anna'])
      expect(await planned()).to.deep.equal([])
    })

    it('that is a key is ended by a step of its own when its time is over, once', async () => {
      const { memory, before, after, letsIn } = await rotated(0, 'key')
      expect(await kinds()).to.deep.equal(['end-old-secret'])
      fixture.sync.start()
      await fixture.sync.idle()
      await fixture.sync.idle()
      expect([await letsIn(before), await letsIn(after)]).to.deep.equal([false, true])
      expect(memory.log).to.deep.equal(['set-secret anna', 'set-secret anna'])
      expect((await audited(fixture.services))[0]).to.equal('account.old-secret-ended anna@alpha')
      expect(await planned()).to.deep.equal([])
    })

    it('that is a key is ended as well when the next key follows soon', async () => {
      const { permission, letsIn } = await rotated(0, 'key')
      fixture.sync.start()
      await fixture.sync.idle()
      const before = await fixture.services.permissions.login(permission.id)
      await fixture.decisions.rotate({}, actor)
      await fixture.sync.idle()
      await fixture.sync.idle()
      expect(await letsIn(before)).to.equal(false)
      expect(await letsIn(await fixture.services.permissions.login(permission.id))).to.equal(true)
    })

    it('is ended by the next run, when the gateway was killed before', async () => {
      const { before, letsIn } = await rotated(0, 'key')
      await fixture.sync.stop()
      fixture.sync = fixture.newSynchroniser()
      fixture.sync.start()
      await fixture.sync.idle()
      expect(await letsIn(before)).to.equal(false)
    })

    it('is not tried to end again and again where that fails', async () => {
      const { memory } = await rotated(0, 'key')
      memory.fault = (call) => (call === 'set-secret' ? new ProvisionError('DENIED', 'no') : undefined)
      fixture.sync.start()
      for (let look = 0; look < 3; look++) await fixture.sync.idle()
      const steps = await fixture.services.queue.steps({ state: 'failed' })
      expect(steps.map(({ kind, reason }) => `${kind}: ${reason}`)).to.deep.equal(['end-old-secret: no'])
    })

    it('that is a password ends with the new one: a server has one password for an account', async () => {
      const { before, after, letsIn } = await rotated(0, 'password')
      expect([await letsIn(before), await letsIn(after)]).to.deep.equal([false, true])
      expect(await planned()).to.deep.equal([])
    })

    it('that is a password stays beside the first key, for as long as a key would', async () => {
      const { serverId, letsIn, after: password, permission } = await rotated(0, 'password')
      await fixture.provisioners.set(serverId, { settings: SETTINGS, secretKind: 'key' }, actor)
      await fixture.decisions.rotate({}, actor)
      await fixture.sync.idle()
      const key = await fixture.services.permissions.login(permission.id)
      expect(key.privateKey).to.be.a('string')
      expect([await letsIn(password), await letsIn(key)]).to.deep.equal([true, true])
      fixture.sync.start()
      await fixture.sync.idle()
      expect([await letsIn(password), await letsIn(key)]).to.deep.equal([false, true])
    })
  })

  it('leaves an account to itself when its permission is not managed any more', async () => {
    const { memory, permission } = await inStep()
    await fixture.services.permissions.update(permission.id, { managed: false }, actor)
    await fixture.services.permissions.revoke(permission.id, actor)
    await fixture.sync.idle()
    expect(memory.log).to.deep.equal([])
    expect(await fixture.accounts.known()).to.deep.equal([])
  })

  it('reaches what is wanted from anything, touches no foreign account, and has nothing left to do', async () => {
    const names = ['ann', 'bob', 'cid', 'dan']
    const users = new Map<string, number>()
    for (const name of names) users.set(name, (await fixture.user(name)).id)
    const account = fc.record({
      name: fc.constantFrom(...names),
      wanted: fc.boolean(),
      there: fc.constantFrom('absent', 'ours', 'theirs'),
      state: fc.constantFrom('enabled' as const, 'disabled' as const),
      homeless: fc.boolean(),
      moved: fc.boolean(),
    })
    const world = fc.uniqueArray(account, { selector: ({ name }) => name, minLength: 1 })
    let number = 0
    await fc.assert(
      fc.asyncProperty(world, async (accounts) => {
        const { id, memory } = await fixture.server(`s${number++}`)
        const granted = new Map<string, number>()
        for (const { name, there } of accounts) {
          if (there === 'ours') granted.set(name, (await fixture.grant(users.get(name) ?? 0, id)).id)
        }
        const apply = async () => {
          const run = await fixture.sync.plan([id], actor)
          await fixture.sync.apply(run.id, actor, { confirm: true })
          await fixture.sync.idle()
        }
        await apply()
        for (const { name, there, wanted, state, homeless, moved } of accounts) {
          if (there === 'theirs') memory.add(name, { state })
          const known = memory.accounts.get(name)
          if (known && there === 'ours') {
            known.state = state
            if (homeless) memory.homes.delete(known.home)
            if (moved) known.home = `/elsewhere/${name}`
          }
          if (wanted && !granted.has(name)) await fixture.grant(users.get(name) ?? 0, id)
          if (!wanted && granted.has(name)) await fixture.services.permissions.revoke(granted.get(name) ?? 0, actor)
        }
        await apply()
        for (const { name, there, wanted, state } of accounts) {
          const found = memory.accounts.get(name)
          if (there === 'theirs') expect(found).to.include({ secret: 'theirs', state })
          else if (wanted) {
            expect(found).to.include({ state: 'enabled', home: `/home/${name}` })
            expect([...memory.homes]).to.include(`/home/${name}`)
          } else if (there === 'ours') expect(found?.state).to.equal('disabled')
          else expect(found).to.equal(undefined)
        }
        const again = await fixture.sync.plan([id], actor)
        expect(again.plan[0]?.steps).to.deep.equal([])
      }),
      { numRuns: 6 },
    )
  }).timeout(60_000)
})

function change(memory: { accounts: Map<string, object> }, fields: object): void {
  Object.assign(memory.accounts.get('anna') ?? {}, fields)
}
