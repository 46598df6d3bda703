import { expect } from 'chai'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parse } from 'yaml'
import type { Lab } from '../lab/lab.js'
import { BrowserSession } from '../support/browser-session.js'
import type { GatewayProcess } from '../support/gateway.js'
import { eventually } from '../support/upload.js'
import { connectTo } from '../sync/managed-server.js'
import { AccountsLab } from './accounts-lab.js'

const ANNA = { username: 'anna', password: 'a password of anna' }

describe('accounts in step with real servers', function () {
  this.timeout(240_000)
  let accounts: AccountsLab
  let lab: Lab
  let gateway: GatewayProcess
  const seen = new Set<string>()

  before(async function () {
    accounts = await AccountsLab.start(this)
    ;({ lab, gateway } = accounts)
    await accounts.grant([ANNA])
  })
  after(() => accounts?.stop())

  /** What the command said, remembered for the search for secrets. */
  async function sync(...args: string[]) {
    const result = await gateway.cli('sync', ...args)
    seen.add(result.stdout + result.stderr)
    return result
  }

  async function passwords(): Promise<Map<string, string>> {
    const { stdout } = await gateway.cli('export', '--with-secrets')
    const { permissions } = parse(stdout) as { permissions: { server: string; password?: string }[] }
    return new Map(permissions.map(({ server, password }) => [server, password ?? '']))
  }

  const ask = (method: string, url: string, body?: string) => accounts.ask(ANNA, method, url, body)

  async function roundTrip(alias: string, text: string) {
    const url = gateway.dav(alias, 'note.txt')
    const { status } = await ask('PUT', url, text)
    expect(status, `PUT on ${alias}`).to.be.oneOf([201, 204])
    expect(await ask('GET', url)).to.deep.equal({ status: 200, text })
  }

  it('makes an account on each of four servers, and its user reads and writes at once', async () => {
    const plan = await sync('plan')
    expect(plan.code, plan.stderr + plan.stdout).to.equal(3)
    expect(plan.stdout.match(/ create /g)).to.have.length(4)
    const commands = new Set<string>()
    let applying = true
    const watched = (async () => {
      while (applying) for (const line of await commandLines()) commands.add(line)
    })()
    const applied = await sync('apply')
    applying = false
    await watched
    expect(applied.code, applied.stderr + applied.stdout).to.equal(0)
    for (const line of commands) seen.add(line)
    for (const { kind } of accounts.servers) await roundTrip(kind, `hello ${kind}`)
    expect((await sync('plan', '--logins')).code).to.equal(0)
  })

  it('tells the secrets to nobody: no log, page, answer, audit line or list of processes', async () => {
    const secrets = [...(await passwords()).values()]
    expect(secrets).to.have.length(4)
    for (const daemon of accounts.servers) {
      const password = (await passwords()).get(daemon.kind) ?? ''
      const connection = await connectTo(daemon)({ username: accounts.login('anna', daemon.kind), password })
      connection.close()
    }
    await sync('status', '--json')
    const basic = 'Basic ' + Buffer.from('admin:admin-of-the-test').toString('base64')
    for (const url of ['/api/v1/sync', '/api/v1/sync/plans', '/api/v1/permissions', '/api/v1/audit?limit=200']) {
      const response = await fetch(gateway.url + url, { headers: { authorization: basic, accept: 'application/json' } })
      expect(response.status, url).to.equal(200)
      seen.add(await response.text())
    }
    const admin = await BrowserSession.loggedIn(gateway.url, 'admin', 'admin-of-the-test')
    for (const page of [
      '/sync',
      '/sync/plans/1',
      '/servers/1/provisioner',
      '/permissions',
      '/permissions/1',
      '/audit',
    ]) {
      const { status, text } = await admin.get(page)
      expect(status, page).to.equal(200)
      seen.add(text)
    }
    seen.add((await gateway.cli('audit', 'export')).stdout)
    seen.add(gateway.log)
    const told = [...seen].join('\n')
    expect(told).to.include('account.created')
    for (const secret of secrets) {
      expect(secret).to.have.length.above(23)
      expect(told.includes(secret)).to.equal(false)
    }
  })

  it('finds and mends what was done by hand', async () => {
    await writeFile(lab.daemon('proftpd').authUserFile, '', { mode: 0o600 })
    await rm(path.join(lab.machine.homes, 'anna-u'), { recursive: true })
    const plan = await sync('plan')
    expect(plan.code).to.equal(3)
    expect(plan.stdout).to.match(/proftpd +create +anna-p/)
    expect(plan.stdout).to.match(/pure-ftpd +make-home +anna-u/)

    const applied = await sync('apply')
    expect(applied.code, applied.stderr + applied.stdout).to.equal(0)
    await eventually('connections into the home that is gone are not used', 2, async () => {
      return (await ask('PUT', gateway.dav('pure-ftpd', 'note.txt'), 'again')).status === 201
    })
    for (const kind of ['proftpd', 'pure-ftpd']) await roundTrip(kind, 'again')
    expect((await sync('plan')).code).to.equal(0)
  })

  it('changes every secret while its user works, without a failed request', async () => {
    const before = await passwords()
    let working = true
    const failures: string[] = []
    const clients = accounts.servers.map(async ({ kind }) => {
      for (let round = 0; working; round++) {
        const { status } = await ask('PUT', gateway.dav(kind, `round-${round % 3}.txt`), String(round))
        if (![201, 204].includes(status)) failures.push(`${kind} ${status}`)
      }
    })
    const rotated = await sync('rotate')
    working = false
    await Promise.all(clients)
    expect(rotated.code, rotated.stderr + rotated.stdout).to.equal(0)
    expect([...new Set(failures)]).to.deep.equal([])
    const after = await passwords()
    for (const [alias, password] of after) expect(password, alias).to.not.equal(before.get(alias))
    for (const { kind } of accounts.servers) await roundTrip(kind, 'with the new secret')
  })

  it('takes a revoked folder away within a second, disables the account, and keeps the files', async () => {
    const sshd = lab.daemon('sshd')
    const login = { username: 'anna-s', password: (await passwords()).get('sshd') ?? '' }
    expect((await gateway.cli('permission', 'remove', ANNA.username, 'sshd')).code).to.equal(0)
    await eventually('the folder is gone', 1, async () => (await ask('PROPFIND', gateway.dav('sshd'))).status === 404)
    await eventually('nobody logs in', 30, async () => {
      try {
        const connection = await connectTo(sshd)(login)
        connection.close()
        return false
      } catch {
        return true
      }
    })
    const kept = await stat(path.join(lab.machine.homes, 'anna-s', 'note.txt'))
    expect(kept.size).to.equal(Buffer.byteLength('with the new secret'))
    await eventually('the plan is empty', 30, async () => (await sync('plan')).code === 0)
  })
})

/** Of every process of this machine, the lab's too. */
async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter((line) => line !== '')
}
