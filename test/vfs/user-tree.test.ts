import { expect } from 'chai'
import { StorageError } from '../../src/storage/errors.js'
import { bytes, CALL, codeOf, get, names, NO_LOCKS, put, TreeFixture } from './tree-fixture.js'

describe('a user’s tree', () => {
  let fixture: TreeFixture

  beforeEach(async () => {
    fixture = await TreeFixture.start({ one: {}, two: {} })
  })

  afterEach(() => fixture.stop())

  it('lists the servers that are permitted, without asking any', async () => {
    const tree = fixture.tree('alice', { server: 'one' }, { server: 'two' })
    expect(await names(tree, '/')).to.deep.equal(['one', 'two'])
    expect(await tree.stat('/two', CALL)).to.include({ type: 'directory', name: 'two' })
    expect(fixture.server('one').calls).to.deep.equal([])
    expect(fixture.server('two').calls).to.deep.equal([])
  })

  it('has nothing by the name of a server that is not permitted', async () => {
    const tree = fixture.tree('alice', { server: 'one' })
    expect(await codeOf(tree.stat('/two', CALL))).to.equal('NO_SUCH_PATH')
    expect(await codeOf(put(tree, '/two/f', 'x'))).to.equal('NO_SUCH_PATH')
  })

  it('stores, shows and reads files, whole and in part', async () => {
    const tree = fixture.tree('alice', { server: 'one' })
    expect(await put(tree, '/one/f', 'hello')).to.have.property('created', true)
    expect(await put(tree, '/one/f', 'hello world')).to.have.property('created', false)
    expect(await get(tree, '/one/f')).to.equal('hello world')
    expect(await get(tree, '/one/f', { start: 6, end: 8 })).to.equal('wor')
    expect(await tree.stat('/one/f', CALL)).to.include({ type: 'file', size: 11 })
    expect(fixture.server('one').tree.content('/f').toString()).to.equal('hello world')
  })

  it('starts in the root folder of the permission and cannot leave it', async () => {
    const { tree: disk } = fixture.server('one')
    disk.makeDirectory('/projects')
    const tree = fixture.tree('alice', { server: 'one', root: 'projects' })
    await put(tree, '/one/f', 'x')
    expect(disk.stat('/projects/f').size).to.equal(1)
    expect(await codeOf(tree.stat('/one/..', CALL))).to.equal('INVALID_NAME')
  })

  it('lists once for Depth 1 and not at all within the time of the cache', async () => {
    const tree = fixture.tree('alice', { server: 'one' })
    const server = fixture.server('one')
    for (let i = 0; i < 20; i++) server.tree.open(`/f${i}`, { exclusive: true, mode: undefined })
    expect((await tree.list('/one', CALL)).members).to.have.length(20)
    await tree.list('/one', CALL)
    await tree.stat('/one/f7', CALL)
    expect(await codeOf(tree.stat('/one/desktop.ini', CALL))).to.equal('NOT_FOUND')
    expect(server.calls.map((call) => call.operation)).to.deep.equal(['connect', 'list'])
    await tree.list('/one', { ...CALL, fresh: true })
    expect(server.count('list')).to.equal(2)
  })

  it('shows writes of one user to another at once, and never what only the other may list', async () => {
    const alice = fixture.tree('alice', { server: 'one' })
    const bob = fixture.tree('bob', { server: 'one' })
    expect(await names(bob, '/one')).to.deep.equal([])
    await put(alice, '/one/f', 'x')
    await alice.makeDirectory('/one/d', NO_LOCKS, CALL)
    expect(await names(bob, '/one')).to.deep.equal(['d', 'f'])
    await alice.remove('/one/f', NO_LOCKS, CALL)
    expect(await names(bob, '/one')).to.deep.equal(['d'])
    expect(
      fixture.server('one').calls.filter((call) => call.operation === 'list' && call.username === 'bob'),
    ).to.have.length(1)
  })

  it('keeps logins with homes of their own apart', async () => {
    const alice = fixture.tree('alice', { server: 'one', homes: 'separate' })
    const bob = fixture.tree('bob', { server: 'one', homes: 'separate' })
    await alice.lock('/one/f', { depth: '0', scope: 'exclusive', ownerXml: '', seconds: 60, ...NO_LOCKS }, CALL)
    expect((await put(bob, '/one/f', 'x')).created).to.equal(false)
  })

  it('refuses every change through a read-only permission', async () => {
    const writer = fixture.tree('alice', { server: 'one' })
    await put(writer, '/one/f', 'x')
    const tree = fixture.tree('bob', { server: 'one', access: 'read-only' }, { server: 'two' })
    const lock = { depth: '0', scope: 'exclusive', ownerXml: '', seconds: 1, ...NO_LOCKS } as const
    const refused = await Promise.all([
      codeOf(put(tree, '/one/g', 'x')),
      codeOf(tree.makeDirectory('/one/d', NO_LOCKS, CALL)),
      codeOf(tree.remove('/one/f', NO_LOCKS, CALL)),
      codeOf(tree.move('/one/f', '/two/f', { overwrite: true }, NO_LOCKS, CALL)),
      codeOf(tree.copy('/one/f', '/one/g', { overwrite: true, deep: true }, NO_LOCKS, CALL)),
      codeOf(tree.setModified('/one/f', 1, NO_LOCKS, CALL)),
      codeOf(tree.changeProperties('/one/f', [], NO_LOCKS, CALL)),
      codeOf(tree.lock('/one/f', lock, CALL)),
    ])
    expect(new Set(refused)).to.deep.equal(new Set(['READ_ONLY']))
    expect(await get(tree, '/one/f')).to.equal('x')
    await tree.copy('/one/f', '/two/f', { overwrite: false, deep: true }, NO_LOCKS, CALL)
    expect(await get(tree, '/two/f')).to.equal('x')
  })

  for (const upload of ['auto', 'direct'] as const) {
    it(`locks a file that came behind a cached listing and leaves its content alone (upload: ${upload})`, async () => {
      const { tree: disk } = fixture.server('one')
      const alice = fixture.tree('alice', { server: 'one', upload })
      await alice.list('/one', CALL)
      disk.open('/report', { exclusive: true, mode: undefined })
      disk.append('/report', Buffer.from('important'))
      const request = { depth: '0', scope: 'exclusive', ownerXml: '', seconds: 60, ...NO_LOCKS } as const
      const { created } = await alice.lock('/one/report', request, CALL)
      expect(created).to.equal(false)
      expect(disk.content('/report').toString()).to.equal('important')
      expect(await codeOf(put(alice, '/one/report', 'x'))).to.equal('LOCKED')
    })
  }

  it('leaves the servers’ own folders to the administrator', async () => {
    const tree = fixture.tree('alice', { server: 'one' }, { server: 'two' })
    for (const path of ['/', '/one']) {
      expect(await codeOf(tree.remove(path, NO_LOCKS, CALL)), path).to.equal('MOUNT_IS_FIXED')
      expect(await codeOf(put(tree, path, 'x')), path).to.equal('MOUNT_IS_FIXED')
    }
    expect(await codeOf(tree.move('/one', '/two/x', { overwrite: true }, NO_LOCKS, CALL))).to.equal('MOUNT_IS_FIXED')
    expect(await codeOf(tree.makeDirectory('/new', NO_LOCKS, CALL))).to.equal('NO_SUCH_PATH')
  })

  it('wants the folder that should hold a new name to be there', async () => {
    const tree = fixture.tree('alice', { server: 'one' })
    await put(tree, '/one/f', 'x')
    expect(await codeOf(put(tree, '/one/no/f', 'x'))).to.equal('PARENT_MISSING')
    expect(await codeOf(tree.makeDirectory('/one/no/d', NO_LOCKS, CALL))).to.equal('PARENT_MISSING')
    const copy = tree.copy('/one/f', '/one/no/f', { overwrite: true, deep: true }, NO_LOCKS, CALL)
    expect(await codeOf(copy)).to.equal('PARENT_MISSING')
  })

  it('makes no folder where something is', async () => {
    const tree = fixture.tree('alice', { server: 'one' })
    await put(tree, '/one/f', 'x')
    expect(await codeOf(tree.makeDirectory('/one/f', NO_LOCKS, CALL))).to.equal('TARGET_EXISTS')
    await tree.makeDirectory('/one/d', NO_LOCKS, CALL)
    expect(await codeOf(tree.makeDirectory('/one/d', NO_LOCKS, CALL))).to.equal('TARGET_EXISTS')
    expect(await codeOf(put(tree, '/one/d', 'x'))).to.equal('IS_COLLECTION')
  })

  it('finds a name in another normal form or case only for clients that mean it so', async () => {
    const tree = fixture.tree('alice', { server: 'one' })
    await tree.makeDirectory('/one/Caf\u00e9', NO_LOCKS, CALL)
    await put(tree, '/one/Caf\u00e9/Read Me', 'x')
    const nfd = '/one/Cafe\u0301/Read Me'
    expect(await codeOf(tree.stat(nfd, CALL))).to.equal('NOT_FOUND')
    expect(await tree.stat(nfd, { ...CALL, names: 'unicode' })).to.include({
      name: 'Read Me',
      path: '/one/Caf\u00e9/Read Me',
    })
    const shout = { ...CALL, names: 'case-insensitive' } as const
    expect(await tree.stat('/one/CAF\u00c9/read me', shout)).to.include({ name: 'Read Me' })
    await tree.write('/one/CAF\u00c9/README', bytes('y'), NO_LOCKS, shout)
    expect(await names(tree, '/one/Caf\u00e9')).to.deep.equal(['README', 'Read Me'])
    await put(tree, '/one/Caf\u00e9/read me', 'z')
    expect(await codeOf(tree.stat('/one/Caf\u00e9/READ ME', shout)), 'two fit').to.equal('NOT_FOUND')
  })

  it('removes folders whole, and says what stayed', async () => {
    const tree = fixture.tree('alice', { server: 'one' })
    const server = fixture.server('one')
    for (const path of ['/one/d', '/one/d/e', '/one/d/e/g']) await tree.makeDirectory(path, NO_LOCKS, CALL)
    for (const path of ['/one/d/a', '/one/d/e/b', '/one/d/e/keep']) await put(tree, path, 'x')
    server.before = ({ operation, path }) => {
      if (operation === 'removeFile' && path.endsWith('keep')) throw new StorageError('DENIED', 'no', { inStep: true })
    }
    const failures = await tree.remove('/one/d', NO_LOCKS, CALL)
    expect(failures.map((failure) => failure.path)).to.deep.equal(['/one/d/e/keep'])
    expect(await names(tree, '/one/d')).to.deep.equal(['e'])
    server.before = () => {}
    expect(await tree.remove('/one/d', NO_LOCKS, CALL)).to.deep.equal([])
    expect(await names(tree, '/one')).to.deep.equal([])
  })

  it('stops at the bound on items of one folder operation', async () => {
    const tree = fixture.tree('alice', { server: 'one' })
    const { tree: disk } = fixture.server('one')
    disk.makeDirectory('/d')
    for (let i = 0; i < 60; i++) disk.open(`/d/f${i}`, { exclusive: true, mode: undefined })
    expect(await codeOf(tree.remove('/one/d', NO_LOCKS, CALL))).to.equal('TOO_MANY_ITEMS')
    expect((await names(tree, '/one/d')).length).to.be.greaterThan(0)
  })

  it('sets times where the server can, and shows them', async () => {
    const tree = fixture.tree('alice', { server: 'one' })
    await put(tree, '/one/f', 'x', { modified: 1_600_000_000_000 })
    expect(await tree.stat('/one/f', CALL)).to.have.property('modified', 1_600_000_000_000)
    expect(await tree.setModified('/one/f', 1_500_000_000_000, NO_LOCKS, CALL)).to.equal(true)
    expect(await tree.stat('/one/f', CALL)).to.have.property('modified', 1_500_000_000_000)
  })

  it('ends what a revoked permission allowed, while other users go on', async () => {
    const server = fixture.server('one')
    const access = fixture.access('alice', { server: 'one' })
    const alice = fixture.trees.treeOf(access)
    const bob = fixture.tree('bob', { server: 'one' })
    await put(alice, '/one/f', 'x'.repeat(200_000))
    const reached = new Map<string, () => void>()
    const waiting = ['alice', 'bob'].map((who) => new Promise<void>((resolve) => reached.set(who, resolve)))
    let goOn!: () => void
    const gate = new Promise<void>((resolve) => (goOn = resolve))
    server.beforeChunk = ({ username }, offset) => {
      if (offset === 0) return
      reached.get(username)?.()
      return gate
    }
    const reading = codeOf(get(alice, '/one/f'))
    const other = get(bob, '/one/f')
    await Promise.all(waiting)
    fixture.trees.revoke(access, { ...access, mounts: [] })
    expect(await reading).to.equal('REVOKED')
    goOn()
    expect(await other).to.have.length(200_000)
  })

  it('ends what a revoked app password let in, while the user’s other logins go on', async () => {
    const access = fixture.access('alice', { server: 'one' })
    const whole = fixture.trees.treeOf(access)
    const restricted = fixture.trees.treeOf({ ...access, credential: 'app-password:7' })
    await put(whole, '/one/f', 'x'.repeat(200_000))
    let goOn!: () => void
    const gate = new Promise<void>((resolve) => (goOn = resolve))
    let reached = 0
    let bothReached!: () => void
    const waiting = new Promise<void>((resolve) => (bothReached = resolve))
    fixture.server('one').beforeChunk = (_, offset) => {
      if (offset === 0) return
      if (++reached === 2) bothReached()
      return gate
    }
    const reading = codeOf(get(restricted, '/one/f'))
    const other = get(whole, '/one/f')
    await waiting
    expect([...fixture.trees.credentialsInUse()]).to.deep.equal(['app-password:7'])
    fixture.trees.endCredentials(new Set(['app-password:8']))
    fixture.trees.endCredentials(new Set(['app-password:7']))
    expect(await reading).to.equal('REVOKED')
    goOn()
    expect(await other).to.have.length(200_000)
    expect([...fixture.trees.credentialsInUse()]).to.deep.equal([])
  })

  it('knows a lock as the user’s own whichever app password it was taken by', async () => {
    const access = fixture.access('alice', { server: 'one' })
    const laptop = fixture.trees.treeOf({ ...access, credential: 'app-password:1' })
    const phone = fixture.trees.treeOf({ ...access, credential: 'app-password:2' })
    await put(laptop, '/one/f', 'x')
    const request = {
      depth: '0',
      scope: 'exclusive',
      ownerXml: '',
      seconds: 60,
      lockTokens: new Set<string>(),
    } as const
    const { lock } = await laptop.lock('/one/f', request, CALL)
    expect(await codeOf(put(phone, '/one/f', 'y')), 'without the token').to.equal('LOCKED')
    await put(phone, '/one/f', 'y', { lockTokens: new Set([lock.token]) })
    await phone.unlock('/one/f', lock.token)
    expect(await laptop.locks('/one/f')).to.deep.equal([])
  })

  it('ends what is under way when the password changed, and not when the secret of the server did', async () => {
    const server = fixture.server('one')
    const access = fixture.access('alice', { server: 'one' })
    const tree = fixture.trees.treeOf(access)
    await put(tree, '/one/f', 'x'.repeat(200_000))
    for (const [change, outcome] of [
      [{ authVersion: 2 }, 'REVOKED'],
      [{}, 'no error'],
    ] as const) {
      let reached!: () => void
      let goOn!: () => void
      const waiting = new Promise<void>((resolve) => (reached = resolve))
      const gate = new Promise<void>((resolve) => (goOn = resolve))
      server.beforeChunk = (_, offset) => {
        if (offset > 0) reached()
        return offset > 0 ? gate : undefined
      }
      const reading = codeOf(get(tree, '/one/f'))
      await waiting
      const mounts = access.mounts.map((mount) => ({ ...mount, account: { ...mount.account, key: 'new secret' } }))
      fixture.trees.revoke(access, { ...access, mounts, ...change })
      goOn()
      expect(await reading).to.equal(outcome)
    }
  })

  it('does not believe a stat that a write overtook', async () => {
    const tree = fixture.tree('alice', { server: 'one' })
    const server = fixture.server('one')
    let goOn!: () => void
    const gate = new Promise<void>((resolve) => (goOn = resolve))
    let asked!: () => void
    const asking = new Promise<void>((resolve) => (asked = resolve))
    server.after = ({ operation }) => {
      if (operation !== 'stat') return
      server.after = () => {}
      asked()
      return gate
    }
    server.tree.open('/f', { exclusive: true, mode: undefined })
    const early = codeOf(tree.stat('/one/f', CALL))
    await asking
    await put(fixture.tree('bob', { server: 'one' }), '/one/f', 'new')
    goOn()
    await early
    expect(await tree.stat('/one/f', CALL)).to.have.property('size', 3)
  })
})
