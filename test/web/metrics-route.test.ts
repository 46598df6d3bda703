import { expect } from 'chai'
import type { AuthenticatedUser, AuthResult } from '../../src/auth/authenticate.js'
import type { Scope } from '../../src/auth/scope.js'
import { loadConfig } from '../../src/config/config.js'
import { startWebApp, type TestWebApp } from '../support/web-app.js'

const ELSEWHERE = { FTPCLUSTER_METRICS_ALLOW: '192.0.2.0/24' }
const BEARER = { Authorization: 'Bearer x' }

describe('/metrics', () => {
  let app: TestWebApp | undefined
  afterEach(() => app?.close())

  async function get(env: NodeJS.ProcessEnv, headers: Record<string, string> = {}, scopes: Scope[] = []) {
    const user: AuthenticatedUser = {
      ...{ userId: 1, username: 'root', admin: true, authVersion: 1 },
      ...{ via: 'api-token', scopes: new Set(scopes) },
    }
    const authenticate = (header: string | undefined): AuthResult =>
      header === undefined ? { ok: false, reason: 'missing' } : { ok: true, user }
    app = await startWebApp(() => ({
      authenticate: (request) => authenticate(request.headers.authorization),
      metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: () => Promise.resolve('up 1\n') },
      config: loadConfig(env),
    }))
    return fetch(`${app.url}/metrics`, { headers })
  }

  it('is for those on the same machine, unless the configuration says otherwise', async () => {
    const response = await get({})
    expect([response.status, await response.text()]).to.deep.equal([200, 'up 1\n'])
    expect(response.headers.get('content-type')).to.match(/^text\/plain; version=0\.0\.4/)
    expect(response.headers.get('cache-control')).to.equal('no-store')
  })

  const cases: [
    what: string,
    env: NodeJS.ProcessEnv,
    headers: Record<string, string>,
    scopes: Scope[],
    status: number,
  ][] = [
    ['refuses others', ELSEWHERE, {}, [], 401],
    ['lets an admin’s token in', ELSEWHERE, BEARER, ['admin:read'], 200],
    ['refuses a token without the scope', ELSEWHERE, BEARER, ['files:read', 'account'], 403],
    ['is open when the configuration says so', { ...ELSEWHERE, FTPCLUSTER_METRICS_ACCESS: 'open' }, {}, [], 200],
    ['is not there when it is off', { FTPCLUSTER_METRICS_ACCESS: 'off' }, {}, [], 404],
    ['does not take a proxy on the same machine for its clients', {}, { 'X-Forwarded-For': '203.0.113.9' }, [], 401],
    ['nor when it says so by Forwarded', {}, { Forwarded: 'for=203.0.113.9' }, [], 401],
    ['nor by Via', {}, { Via: '1.1 proxy' }, [], 401],
    [
      'believes a known proxy',
      { ...ELSEWHERE, FTPCLUSTER_TRUST_PROXY: '127.0.0.1' },
      { 'X-Forwarded-For': '192.0.2.7' },
      [],
      200,
    ],
    ['and whom that names', { FTPCLUSTER_TRUST_PROXY: '127.0.0.1' }, { 'X-Forwarded-For': '203.0.113.9' }, [], 401],
  ]
  for (const [what, env, headers, scopes, status] of cases) {
    it(what, async () => {
      expect((await get(env, headers, scopes)).status).to.equal(status)
    })
  }
})
