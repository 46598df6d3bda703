import { expect } from 'chai'
import { ALL_DAEMONS, labFor, type DaemonKind, type Lab } from '../lab/lab.js'
import { GatewayProcess } from '../support/gateway.js'
import { eventually } from '../support/upload.js'

const LOCK_BODY =
  '<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
  '<D:locktype><D:write/></D:locktype><D:owner>user1 at work</D:owner></D:lockinfo>'

const passwordOf = (user: string) => `password of ${user}`

/** Logins that are locked into their homes see different trees, whatever lies behind: only the others are tested here. */
const SHARING: readonly DaemonKind[] = ALL_DAEMONS.filter((kind) => kind !== 'pure-ftpd')

describe('a lock on a file that two users see with logins of their own', function () {
  this.timeout(120_000)
  let lab: Lab
  let gateway: GatewayProcess

  before(async function () {
    lab = await labFor(this, { daemons: SHARING })
    const people = [
      ['user1', 'shared1'],
      ['user2', 'shared2'],
    ] as const
    gateway = await GatewayProcess.start({
      servers: lab.daemons.map(({ kind, endpoint }) => ({ alias: kind, endpoint })),
      users: people.map(([username]) => ({ username, password: passwordOf(username) })),
      permissions: lab.daemons.flatMap((daemon) =>
        people.map(([user, account]) => {
          const { username, password } = daemon.account(account)
          return { user, server: daemon.kind, login: { username, ...(password === undefined ? {} : { password }) } }
        }),
      ),
    })
  })

  after(async () => {
    await gateway?.stop()
    await lab?.stop()
  })

  async function dav(
    user: string,
    method: string,
    url: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<{ status: number; headers: Headers; text: string }> {
    const authorization = 'Basic ' + Buffer.from(`${user}:${passwordOf(user)}`).toString('base64')
    const init = { method, headers: { ...headers, authorization } }
    const response = await fetch(url, body === undefined ? init : { ...init, body })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  async function lock(user: string, url: string, seconds: number): Promise<string> {
    const headers = { timeout: `Second-${seconds}`, depth: '0', 'content-type': 'text/xml' }
    const answer = await dav(user, 'LOCK', url, headers, LOCK_BODY)
    expect(answer.status, answer.text).to.be.oneOf([200, 201])
    return answer.headers.get('lock-token') ?? ''
  }

  for (const kind of SHARING) {
    it(`stops the other one on ${kind}, survives a restart, and ends by UNLOCK`, async () => {
      expect(lab.daemon(kind).chrooted).to.equal(false)
      const url = gateway.dav(kind, 'report.txt')
      expect((await dav('user1', 'PUT', url, {}, 'first')).status).to.be.oneOf([201, 204])
      const token = await lock('user1', url, 600)

      expect((await dav('user2', 'PUT', url, {}, 'second')).status).to.equal(423)
      expect((await dav('user2', 'PUT', url, { if: `(${token})` }, 'second')).status).to.equal(423)
      expect((await dav('user2', 'DELETE', url)).status).to.equal(423)
      expect((await dav('user2', 'LOCK', url, { depth: '0' }, LOCK_BODY)).status).to.equal(423)
      expect((await dav('user2', 'UNLOCK', url, { 'lock-token': token })).status).to.equal(403)
      expect((await dav('user2', 'GET', url)).text).to.equal('first')

      await gateway.end()
      await gateway.serve()
      expect((await dav('user2', 'PUT', url, {}, 'second')).status).to.equal(423)
      expect((await dav('user1', 'PUT', url, { if: `(${token})` }, 'third')).status).to.equal(204)

      expect((await dav('user1', 'UNLOCK', url, { 'lock-token': token })).status).to.equal(204)
      expect((await dav('user2', 'PUT', url, {}, 'second')).status).to.equal(204)
    })
  }

  it('ends in its time', async () => {
    const url = gateway.dav(SHARING[0] ?? '', 'timed.txt')
    await lock('user1', url, 1)
    expect((await dav('user2', 'PUT', url, {}, 'x')).status).to.equal(423)
    await eventually('the lock is over', 10, async () => (await dav('user2', 'PUT', url, {}, 'x')).status === 204)
  })
})
