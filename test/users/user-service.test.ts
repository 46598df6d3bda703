import { expect } from 'chai'
import { newSecret } from '../../src/auth/secret-text.js'
import { AuditLog } from '../../src/audit/audit-log.js'
import { openDatabase } from '../../src/db/database.js'
import { ConflictError, UnknownObjectError, ValidationError } from '../../src/errors.js'
import { UserService, type UserSearch } from '../../src/users/user-service.js'
import type { NewUser } from '../../src/users/user-input.js'
import { actor, openTestServices, rejectionOf, type TestServices } from '../support/services.js'

describe('UserService', () => {
  let services: TestServices

  beforeEach(async () => (services = await openTestServices()))
  afterEach(() => services.close())

  const add = (username: string, role: 'user' | 'admin' = 'user') =>
    services.users.create({ username, password: 'password-1', role }, actor)

  it('makes a user whose password is hashed, and records who did it', async () => {
    const user = await add('user1')
    expect(user).to.include({ username: 'user1', role: 'user', disabled: false, authVersion: 1 })
    expect(user).to.not.have.any.keys('password', 'passwordHash')
    const stored = await services.users.credentials('user1')
    expect(stored?.passwordHash).to.match(/^\$2b\$/)
    const [event] = await services.audit.list()
    expect(event).to.include({ type: 'user.created', actorKind: 'cli', actorName: 'tester', objectName: 'user1' })
  })

  const bad: [string, object, string][] = [
    ['an upper-case name', { username: 'User1' }, 'username'],
    ['a name with a colon', { username: 'a:b' }, 'username'],
    ['a name with a backslash', { username: 'dom\\a' }, 'username'],
    ['a name with a line break', { username: 'a\nb' }, 'username'],
    ['an empty name', { username: '' }, 'username'],
    ['a name of 65 characters', { username: 'a'.repeat(65) }, 'username'],
    ['a name that begins with a dot', { username: '.a' }, 'username'],
    ['a short password', { password: '1234567' }, 'password'],
    ['one of the most common passwords', { password: 'Password1' }, 'password'],
    ['the name as password', { username: 'anna.example', password: 'Anna.Example' }, 'password'],
    ['an app password as password', { password: newSecret('app-password').secret }, 'password'],
    ['a password of 1025 bytes', { password: 'a'.repeat(1025) }, 'password'],
    ['a password with NUL', { password: 'password\0' }, 'password'],
    ['no password', { password: undefined }, 'password'],
    ['an unknown role', { role: 'root' }, 'role'],
    ['a field of its own', { passwordHash: 'x' }, 'passwordHash'],
    ['an id', { id: 1 }, 'id'],
  ]
  for (const [title, change, field] of bad) {
    it(`refuses ${title}, and names the field`, async () => {
      const input = { username: 'user1', password: 'password-1', ...change } as NewUser
      const error = await rejectionOf(services.users.create(input, actor))
      expect(error).to.be.instanceOf(ValidationError)
      expect((error as ValidationError).problems.map((problem) => problem.field)).to.deep.equal([field])
      expect(await services.users.list()).to.deep.equal([])
    })
  }

  it('refuses a name that is taken', async () => {
    await add('user1')
    expect(await rejectionOf(add('user1'))).to.be.instanceOf(ConflictError)
  })

  it('raises authVersion with every change that must end what is open', async () => {
    const { id } = await add('user1')
    await services.users.setPassword(id, 'password-2', actor)
    await services.users.setRole(id, 'admin', actor)
    await add('other', 'admin')
    await services.users.setDisabled(id, true, actor)
    expect(await services.users.get(id)).to.include({ authVersion: 4, role: 'admin', disabled: true })
    await services.users.setDisabled(id, true, actor)
    expect((await services.users.get(id)).authVersion, 'nothing changed').to.equal(4)
  })

  it('keeps the last active admin', async () => {
    const admin = await add('admin', 'admin')
    const other = await add('other', 'admin')
    await services.users.setDisabled(other.id, true, actor)
    for (const attempt of [
      services.users.setRole(admin.id, 'user', actor),
      services.users.setDisabled(admin.id, true, actor),
      services.users.remove(admin.id, actor),
    ]) {
      expect(await rejectionOf(attempt)).to.be.instanceOf(ConflictError)
    }
    await services.users.remove(other.id, actor)
  })

  it('lets exactly one of two admins leave when both leave at once', async () => {
    const [a, b] = [await add('a', 'admin'), await add('b', 'admin')]
    const results = await Promise.allSettled([
      services.users.setRole(a.id, 'user', actor),
      services.users.setDisabled(b.id, true, actor),
    ])
    expect(results.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected'])
  })

  it('lets exactly one leave also when the other leaves in another process', async () => {
    const [a, b] = [await add('a', 'admin'), await add('b', 'admin')]
    const other = await openDatabase({ dataDir: services.folder })
    try {
      const elsewhere = new UserService(other, new AuditLog(other), services.hasher)
      const results = await Promise.allSettled([services.users.remove(a.id, actor), elsewhere.remove(b.id, actor)])
      const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []))
      expect(refused).to.have.length(1)
      expect(refused[0], 'it waited for its turn and saw the other gone').to.be.instanceOf(ConflictError)
    } finally {
      await other.close()
    }
  })

  it('records nothing of a change that failed', async () => {
    const { id } = await add('admin', 'admin')
    const before = await services.audit.list()
    await rejectionOf(services.users.remove(id, actor))
    expect(await services.audit.list()).to.deep.equal(before)
  })

  it('finds nobody by a name that is none, whatever signs it holds', async () => {
    await add('user1')
    for (const name of ['', 'USER1', 'user1\0', '\0', "' OR '1'='1", '\ud800', 'x'.repeat(100_000)]) {
      expect([await services.users.find(name), await services.users.credentials(name)]).to.deep.equal([
        undefined,
        undefined,
      ])
    }
  })

  it('says that a user is not there', async () => {
    for (const attempt of [services.users.get(99), services.users.remove(99, actor)]) {
      expect(await rejectionOf(attempt)).to.be.instanceOf(UnknownObjectError)
    }
  })

  it('shows who must change the password, has a second factor, and logged in when', async () => {
    const input = { username: 'user1', password: 'password-1', mustChangePassword: true }
    const user = await services.users.create(input, actor)
    expect(user).to.include({ mustChangePassword: true, hasSecondFactor: false, lastLoginAt: undefined })
    await services.users.setPassword(user.id, 'password-2', actor)
    expect(await services.users.get(user.id)).to.include({ mustChangePassword: false })
    await services.users.setPassword(user.id, 'password-3', actor, { mustChange: true })
    expect(await services.users.get(user.id)).to.include({ mustChangePassword: true, authVersion: 3 })
  })

  it('makes the first user, an admin, and no second one', async () => {
    const first = { username: 'anna', password: 'password-1' }
    expect(await services.users.createFirstAdmin(first, actor)).to.include({ role: 'admin' })
    const second = services.users.createFirstAdmin({ ...first, username: 'bert' }, actor)
    expect(await rejectionOf(second)).to.be.instanceOf(ConflictError)
    expect(await services.users.count()).to.equal(1)
  })

  describe('search', () => {
    beforeEach(async () => {
      for (const username of ['anna', 'a_b', 'axb', 'bert', 'berta']) await add(username)
      const boss = await add('boss', 'admin')
      const bert = await services.users.find('bert')
      await services.users.setDisabled(bert?.id ?? 0, true, actor)
      await services.database.models.User.update({ lastLoginAt: new Date() }, { where: { id: boss.id } })
    })

    const names = async (filter: Partial<UserSearch> = {}) => {
      const { items, total } = await services.users.search({ offset: 0, limit: 100, ...filter })
      return [total, ...items.map(({ username }) => username)]
    }

    it('gives pages that follow each other, and the number of all', async () => {
      expect(await names({ limit: 4 })).to.deep.equal([6, 'a_b', 'anna', 'axb', 'bert'])
      expect(await names({ limit: 4, offset: 4 })).to.deep.equal([6, 'berta', 'boss'])
      expect(await names({ limit: 4, offset: 8 })).to.deep.equal([6])
    })

    it('finds a part of a name in any case, and takes signs for what they are', async () => {
      expect(await names({ text: 'ERT' })).to.deep.equal([2, 'bert', 'berta'])
      expect(await names({ text: 'a_b' })).to.deep.equal([1, 'a_b'])
      for (const text of ['%', "' OR '1'='1", '\\', '\0']) expect(await names({ text }), text).to.deep.equal([0])
      expect(await names({ text: '' })).to.have.length(7)
    })

    it('filters by role and state', async () => {
      expect(await names({ role: 'admin' })).to.deep.equal([1, 'boss'])
      expect(await names({ disabled: true })).to.deep.equal([1, 'bert'])
      expect(await names({ disabled: false, text: 'bert' })).to.deep.equal([1, 'berta'])
    })

    it('sorts both ways', async () => {
      expect((await names({ sort: '-username' }))[1]).to.equal('boss')
      expect((await names({ sort: '-lastLoginAt' })).slice(1, 3)).to.deep.equal(['boss', 'a_b'])
      expect((await names({ sort: 'lastLoginAt' })).at(-1)).to.equal('boss')
      expect((await names({ sort: 'createdAt' }))[1]).to.equal('anna')
    })
  })
})
