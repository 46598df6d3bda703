import { expect } from 'chai'
import { USER_SCOPES } from '../src/auth/scope.js'
import type { Share } from '../src/shares/share.js'
import { openedBy } from '../src/shares/shared-access.js'
import { UserTrees } from '../src/user-trees.js'
import type { UserAccess } from '../src/vfs/mount.js'
import type { TreeOperation } from '../src/vfs/observer.js'
import type { Tree } from '../src/vfs/tree.js'
import { loggedIn } from './support/logged-in.js'
import { CALL, codeOf, get, NO_LOCKS, put, TreeFixture } from './vfs/tree-fixture.js'

const CLIENT = { address: '192.0.2.1', userAgent: 'test', requestId: 'r', via: 'session' } as const

describe('UserTrees', () => {
  let fixture: TreeFixture
  let alice: UserAccess
  let bob: UserAccess
  let known: Map<number, UserAccess>
  let seen: TreeOperation[]
  let userTrees: UserTrees
  let share: Share

  beforeEach(async () => {
    fixture = await TreeFixture.start({ s1: {}, s2: {} })
    alice = fixture.access('alice', { server: 's1' }, { server: 's2' })
    bob = fixture.access('bob')
    known = new Map([alice, bob].map((access) => [access.userId, access]))
    const tree = fixture.trees.treeOf(alice)
    await tree.makeDirectory('/s1/docs', NO_LOCKS, CALL)
    await put(tree, '/s1/docs/a.txt', 'content of it')
    share = {
      ...{ id: 7, ownerId: alice.userId, owner: 'alice', recipientId: bob.userId, recipient: 'bob' },
      ...{ permissionId: alice.mounts[0]?.permissionId ?? 0, serverId: 0, path: '/s1/docs', name: 'docs' },
      ...{ kind: 'directory', note: '', endsAt: undefined, createdAt: new Date(), blocked: undefined },
      ...{ remoteUser: 'alice', root: undefined },
    }
    seen = []
    userTrees = new UserTrees({
      access: { peek: (id) => known.get(id), get: (id) => Promise.resolve(known.get(id)) },
      trees: fixture.trees,
      shares: { opened: () => Promise.resolve(share) },
      activity: { seen: () => undefined },
      observers: [{ ended: (operation) => void seen.push(operation) }],
    })
  })
  afterEach(() => fixture.stop())

  const user = (changes: object = {}) =>
    loggedIn({ userId: bob.userId, username: 'bob', via: 'session', scopes: USER_SCOPES, ...changes })
  const open = async (): Promise<Tree> => (await userTrees.shared(user(), 7, CLIENT)).tree

  it('reads what is shared through the login of its owner, in the name of who looks', async () => {
    expect(await get(await open(), '/s1/docs/a.txt')).to.equal('content of it')
    const read = seen.find(({ kind }) => kind === 'read')
    expect(read).to.deep.include({ userId: bob.userId, username: 'bob', path: '/s1/docs/a.txt' })
    expect(read?.client.share).to.deep.equal({ id: 7, owner: 'alice' })
    expect(read?.mount).to.include({ permissionId: share.permissionId, remoteUser: 'alice' })
    expect(await codeOf(put(await open(), '/s1/docs/b.txt', 'x'))).to.equal('READ_ONLY')
  })

  it('opens nothing that its owner cannot reach, or reaches elsewhere', async () => {
    known.set(alice.userId, { ...alice, mounts: alice.mounts.slice(1) })
    expect(await codeOf(open())).to.equal('UNKNOWN_OBJECT')
    known.set(alice.userId, { ...alice, mounts: alice.mounts.map((mount) => ({ ...mount, root: 'elsewhere' })) })
    expect(await codeOf(open())).to.equal('UNKNOWN_OBJECT')
    known.delete(alice.userId)
    expect(await codeOf(open())).to.equal('UNKNOWN_OBJECT')
    known.set(alice.userId, alice)
    expect(await codeOf(open())).to.equal('no error')
  })

  it('asks for a login that is still good, and for files', async () => {
    for (const opening of [
      (who: ReturnType<typeof user>) => userTrees.own(who, CLIENT),
      (who: ReturnType<typeof user>) => userTrees.shared(who, 7, CLIENT),
    ]) {
      expect(await codeOf(opening(user({ authVersion: 2 })))).to.equal('LOGIN_CHANGED')
      expect(await codeOf(opening(user({ scopes: new Set() })))).to.equal('SCOPE')
      expect(await codeOf(opening(user()))).to.equal('no error')
    }
  })

  const ends: readonly [string, () => void][] = [
    ['the share', () => fixture.trees.endCredentials(new Set(['share:7:2']))],
    ['the permission of its owner', () => fixture.trees.revoke(alice, { ...alice, mounts: alice.mounts.slice(1) })],
    ['its owner', () => fixture.trees.revoke(alice, undefined)],
    [
      'the login of who reads',
      () => fixture.trees.endCredentials(openedBy(bob.userId, fixture.trees.credentialsInUse())),
    ],
  ]
  for (const [what, end] of ends) {
    it(`ends a download under way with ${what}`, async () => {
      const tree = await open()
      const node = await tree.stat('/s1/docs/a.txt', CALL)
      const inUse: string[] = []
      const sink = () => {
        inUse.push(...fixture.trees.credentialsInUse())
        end()
        throw new Error('what a driver makes of a signal that fires')
      }
      expect(await codeOf(tree.read(node, undefined, sink, CALL))).to.equal('REVOKED')
      expect(inUse).to.deep.equal(['share:7:2'])
    })
  }

  it('ends nobody else’s', () => {
    const names = new Set(['share:7:2', 'share:8:22', 'app-password:2', 'share:2:3'])
    expect([...openedBy(2, names)]).to.deep.equal(['share:7:2'])
  })
})
