import { expect } from 'chai'
import { SCOPES, type Scope } from '../../../src/auth/scope.js'
import { pathOf } from '../../../src/web/api/operation.js'
import { OPERATIONS } from '../../../src/web/api/operations.js'
import { loggedIn } from '../../support/logged-in.js'
import { ADMIN, ApiFixture, USER } from './api-fixture.js'

/** Who gets in, of those in the columns. A token is named by the scope that lets it in. */
interface Row {
  readonly anonymous: 'in' | 401
  readonly user: 'in' | 403 | 401
  readonly appPassword: 'in' | 403 | 401
  readonly token: readonly Scope[]
  readonly admin: 'in'
}

const EVERYBODY: Row = { anonymous: 'in', user: 'in', appPassword: 'in', token: SCOPES, admin: 'in' }
const ANY_LOGIN: Row = { anonymous: 401, user: 'in', appPassword: 'in', token: SCOPES, admin: 'in' }
const FILES_READ: Row = { anonymous: 401, user: 'in', appPassword: 'in', token: ['files:read'], admin: 'in' }
const FILES_WRITE: Row = { anonymous: 401, user: 'in', appPassword: 'in', token: ['files:write'], admin: 'in' }
/** No token may have the scope `account`; one that had it would get in. */
const OWN_ACCOUNT: Row = { anonymous: 401, user: 'in', appPassword: 403, token: ['account'], admin: 'in' }
const ADMIN_READ: Row = { anonymous: 401, user: 403, appPassword: 403, token: ['admin:read'], admin: 'in' }
const ADMIN_WRITE: Row = { anonymous: 401, user: 403, appPassword: 403, token: ['admin:write'], admin: 'in' }

const MATRIX: Readonly<Record<string, Row>> = {
  'session.logIn': EVERYBODY,
  'session.logOut': ANY_LOGIN,
  'openapi.get': EVERYBODY,

  'me.get': ANY_LOGIN,
  'me.changePassword': OWN_ACCOUNT,
  'me.secondFactor.get': OWN_ACCOUNT,
  'me.secondFactor.begin': OWN_ACCOUNT,
  'me.secondFactor.confirm': OWN_ACCOUNT,
  'me.secondFactor.disable': OWN_ACCOUNT,
  'me.secondFactor.renewRecoveryCodes': OWN_ACCOUNT,
  'me.appPasswords.list': OWN_ACCOUNT,
  'me.appPasswords.create': OWN_ACCOUNT,
  'me.appPasswords.revoke': OWN_ACCOUNT,
  'me.apiTokens.list': OWN_ACCOUNT,
  'me.apiTokens.create': OWN_ACCOUNT,
  'me.apiTokens.revoke': OWN_ACCOUNT,
  'me.sessions.list': OWN_ACCOUNT,
  'me.sessions.end': OWN_ACCOUNT,
  'me.sessions.endOthers': OWN_ACCOUNT,
  'me.servers.list': ANY_LOGIN,
  'me.servers.setCredentials': OWN_ACCOUNT,

  'files.list': FILES_READ,
  'files.get': FILES_READ,
  'files.createFolder': FILES_WRITE,
  'files.copy': FILES_WRITE,
  'files.move': FILES_WRITE,
  'files.remove': FILES_WRITE,
  'jobs.list': FILES_READ,
  'jobs.get': FILES_READ,
  'jobs.cancel': FILES_WRITE,
  'shares.list': FILES_READ,
  'shares.create': FILES_WRITE,
  'shares.get': FILES_READ,
  'shares.update': FILES_WRITE,
  'shares.end': FILES_WRITE,

  'users.list': ADMIN_READ,
  'users.create': ADMIN_WRITE,
  'users.export': ADMIN_READ,
  'users.import': ADMIN_WRITE,
  'users.get': ADMIN_READ,
  'users.update': ADMIN_WRITE,
  'users.replace': ADMIN_WRITE,
  'users.remove': ADMIN_WRITE,
  'users.resetPassword': ADMIN_WRITE,
  'users.resetSecondFactor': ADMIN_WRITE,
  'users.appPasswords.list': ADMIN_READ,
  'users.appPasswords.revoke': ADMIN_WRITE,
  'users.apiTokens.list': ADMIN_READ,
  'users.apiTokens.revoke': ADMIN_WRITE,
  'users.sessions.list': ADMIN_READ,
  'users.sessions.end': ADMIN_WRITE,
  'users.endSessions': ADMIN_WRITE,

  'servers.list': ADMIN_READ,
  'servers.create': ADMIN_WRITE,
  'servers.get': ADMIN_READ,
  'servers.update': ADMIN_WRITE,
  'servers.replace': ADMIN_WRITE,
  'servers.remove': ADMIN_WRITE,
  'servers.test': ADMIN_WRITE,
  'servers.scan': ADMIN_WRITE,
  'servers.trust': ADMIN_WRITE,

  'permissions.list': ADMIN_READ,
  'permissions.grant': ADMIN_WRITE,
  'permissions.grantSeveral': ADMIN_WRITE,
  'permissions.get': ADMIN_READ,
  'permissions.update': ADMIN_WRITE,
  'permissions.replace': ADMIN_WRITE,
  'permissions.setCredentials': ADMIN_WRITE,
  'permissions.revoke': ADMIN_WRITE,

  'sync.getProvisioner': ADMIN_READ,
  'sync.setProvisioner': ADMIN_WRITE,
  'sync.removeProvisioner': ADMIN_WRITE,
  'sync.state': ADMIN_READ,
  'sync.plan': ADMIN_WRITE,
  'sync.listPlans': ADMIN_READ,
  'sync.getPlan': ADMIN_READ,
  'sync.apply': ADMIN_WRITE,
  'sync.abort': ADMIN_WRITE,
  'sync.adopt': ADMIN_WRITE,
  'sync.decideEnding': ADMIN_WRITE,
  'sync.rotate': ADMIN_WRITE,

  'review.list': ADMIN_READ,
  'review.export': ADMIN_READ,
  'audit.list': ADMIN_READ,
  'audit.export': ADMIN_READ,
  'activity.list': ADMIN_READ,
  'activity.clients': ADMIN_READ,
  'activity.end': ADMIN_WRITE,
  'health.list': ADMIN_READ,
  'health.get': ADMIN_READ,
}

describe('who may do what over the API', () => {
  let api: ApiFixture
  let appPassword: string

  before(async () => {
    api = await ApiFixture.start()
    const by = { kind: 'cli', systemUser: 'tester' } as const
    appPassword = (await api.auth.appPasswords.create(api.userId, { name: 'drive' }, by)).secret
    for (const scope of SCOPES) {
      const fields = { userId: api.adminId, username: 'root', admin: true, via: 'api-token' } as const
      api.tokens.set(scope, loggedIn({ ...fields, scopes: new Set([scope]) }))
    }
  })
  after(() => api.stop())

  it('is written down here for every operation, and for none that is not there', () => {
    expect(Object.keys(MATRIX).sort()).to.deep.equal(OPERATIONS.map(({ id }) => id).sort())
  })

  for (const operation of OPERATIONS) {
    // Input is looked at later: nothing of it is there, and nothing changes.
    const path = pathOf(operation)
      .replace(/\{id\}|\{serverId\}|\{appPasswordId\}|\{tokenId\}/g, '999999')
      .replace(/\{key\}|\{jobId\}/, 'none')
    const row = MATRIX[operation.id]
    const verdict = (status: number, text: string) =>
      (status === 401 && !text.includes('WRONG_LOGIN')) || (status === 403 && text.includes('SCOPE_MISSING'))
        ? status
        : 'in'

    it(`${operation.id} lets in whom it should`, async () => {
      const ask = async (as: typeof ADMIN | 'nobody', headers: Record<string, string> = {}) => {
        const { status, text } = await api.send(operation.method, path, { as, headers })
        return verdict(status, text)
      }
      const tokens: Scope[] = []
      for (const scope of SCOPES) {
        if ((await ask('nobody', { Authorization: `Bearer ${scope}` })) === 'in') tokens.push(scope)
      }
      expect({
        anonymous: await ask('nobody'),
        user: await ask(USER),
        appPassword: await ask({ ...USER, password: appPassword }),
        token: tokens,
        admin: await ask(ADMIN),
      }).to.deep.equal(row)
    })

    for (const legacy of [operation.legacyPath].filter((path) => path !== undefined)) {
      it(`${operation.id} is guarded at ${legacy} too`, async () => {
        const { status, text } = await api.send(operation.method, legacy, { as: 'nobody' })
        expect(verdict(status, text)).to.equal(row?.anonymous)
        const asUser = await api.send(operation.method, legacy, { as: USER })
        expect(verdict(asUser.status, asUser.text)).to.equal(row?.user)
      })
    }
  }

  it('is nothing for somebody who has to change the password first, but that', async () => {
    api.sessionOf(loggedIn({ userId: api.adminId, admin: true, via: 'session' }), { mustChangePassword: true })
    const headers = { 'X-CSRF-Token': 'right' }
    const open: string[] = []
    for (const operation of OPERATIONS.filter(({ scope }) => scope !== 'none')) {
      const path = pathOf(operation).replace(/\{id\}|\{serverId\}|\{appPasswordId\}|\{tokenId\}/g, '999999')
      const reply = await api.send(operation.method, path, { as: 'nobody', headers })
      if (!reply.text.includes('"PASSWORD_CHANGE"')) open.push(operation.id)
    }
    api.session = undefined
    expect(open).to.have.members(['me.get', 'me.changePassword', 'session.logOut'])
  })
})
