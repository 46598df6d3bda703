import { expect } from 'chai'
import { labFor, type Lab } from '../lab/lab.js'
import { startBlackHole, type BlackHole } from '../support/black-hole.js'
import { driveOver, PASSWORD, USER } from '../support/drive.js'
import { GatewayProcess } from '../support/gateway.js'

const DEPTH = { depth: '1' }

describe('with one server’s port black-holed', function () {
  this.timeout(180_000)
  let lab: Lab
  let hole: BlackHole
  let gateway: GatewayProcess

  before(async function () {
    lab = await labFor(this, { daemons: ['vsftpd', 'sshd'] })
    hole = await startBlackHole()
    const drive = driveOver(lab)
    const trust = { kind: 'none' } as const
    gateway = await GatewayProcess.start(
      {
        servers: [
          ...drive.servers,
          { alias: 'dead', endpoint: { protocol: 'ftp', host: '127.0.0.1', port: hole.port, trust } },
        ],
        users: drive.users,
        permissions: [...drive.permissions, { user: USER, server: 'dead', login: { username: 'x', password: 'y' } }],
      },
      { env: { FTPCLUSTER_DEADLINES_CONNECT: '4s', FTPCLUSTER_BREAKER_PAUSE: '20s' } },
    )
  })

  after(async () => {
    await gateway?.stop()
    await hole?.stop()
    await lab?.stop()
  })

  async function ask(method: string, url: string, headers: Record<string, string> = {}, body?: string) {
    const authorization = 'Basic ' + Buffer.from(`${USER}:${PASSWORD}`).toString('base64')
    const init = { method, headers: { ...headers, authorization } }
    const response = await fetch(url, body === undefined ? init : { ...init, body })
    return { status: response.status, retryAfter: response.headers.get('retry-after'), text: await response.text() }
  }

  it('shows its folder at once, and its siblings work as before while it is being asked', async () => {
    expect((await ask('PROPFIND', `${gateway.url}/dav/`, DEPTH)).status).to.equal(207)
    const order: string[] = []
    const dead = ask('PROPFIND', gateway.dav('dead'), DEPTH).then((answer) => {
      order.push('dead')
      return answer
    })
    const root = await ask('PROPFIND', `${gateway.url}/dav/`, DEPTH)
    order.push('root')
    expect(root.status).to.equal(207)
    for (const alias of ['dead', 'vsftpd', 'sshd']) expect(root.text).to.include(`<D:href>/dav/${alias}/</D:href>`)
    for (const alias of ['vsftpd', 'sshd']) {
      expect((await ask('PUT', gateway.dav(alias, 'f.txt'), {}, alias)).status).to.be.oneOf([201, 204])
      expect((await ask('GET', gateway.dav(alias, 'f.txt'))).text).to.equal(alias)
      order.push(alias)
    }
    expect((await dead).status).to.equal(504)
    expect(order, 'nobody waited for the dead one').to.deep.equal(['root', 'vsftpd', 'sshd', 'dead'])
  })

  it('answers 504 and then 503 with Retry-After, never an empty folder', async () => {
    const seen: number[] = []
    for (let i = 0; i < 4; i++) {
      const answer = await ask('PROPFIND', gateway.dav('dead'), DEPTH)
      seen.push(answer.status)
      if (answer.status === 503) expect(Number(answer.retryAfter)).to.be.within(1, 60)
      expect(answer.text).to.not.include('multistatus')
    }
    expect(new Set(seen)).to.deep.equal(new Set([504, 503]))
    expect(seen.at(-1)).to.equal(503)
    for (const method of ['GET', 'PUT', 'MKCOL', 'DELETE', 'HEAD']) {
      expect((await ask(method, gateway.dav('dead', 'x'))).status, method).to.equal(503)
    }
  })
})
