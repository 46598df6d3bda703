import { expect } from 'chai'
import { appendFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { encrypt } from 'unixcrypt'
import { parse } from 'yaml'
import { isStorageError } from '../../src/storage/errors.js'
import type { Lab, LabDaemon } from '../lab/lab.js'
import { BrowserSession } from '../support/browser-session.js'
import type { GatewayProcess } from '../support/gateway.js'
import { eventually } from '../support/upload.js'
import { connectTo } from '../sync/managed-server.js'
import { AccountsLab } from './accounts-lab.js'

const ANNA = { username: 'anna', password: 'a password of anna' }
const BERT = { username: 'bert', password: 'a password of bert' }

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

  /** Straight to the server. */
  async function letsIn(daemon: LabDaemon, username: string, password: string): Promise<boolean> {
    try {
      const connection = await connectTo(daemon)({ username, password })
      connection.close()
      return true
    } catch (error) {
      if (isStorageError(error, 'LOGIN_REJECTED')) return false
      throw error
    }
  }

  /** Without what is only told: on one machine each account is unknown to somebody. */
  const stepsIn = ({ stdout }: { stdout: string }) =>
    stdout.split('\n').filter((line) => line !== '' && !line.includes('(unknown)'))

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

  it('finds a password that was changed by hand by one login, shows it, and sets a new one', async () => {
    const byHand = 'Changed-by-hand-1'
    for (const daemon of accounts.servers) {
      await accounts.setPasswordByHand(daemon.kind, accounts.login('anna', daemon.kind), byHand)
      expect(await letsIn(daemon, accounts.login('anna', daemon.kind), byHand), daemon.kind).to.equal(true)
    }
    const refusals = async () => {
      const { stdout } = await gateway.cli('audit', 'export')
      return stdout.split('\n').filter((line) => line.includes('account.secret-found-rejected')).length
    }
    const plan = await sync('plan', '--logins')
    expect(plan.code, plan.stdout + plan.stderr).to.equal(3)
    for (const { kind } of accounts.servers) {
      expect(plan.stdout).to.match(
        new RegExp(`${kind} +set-secret +${accounts.login('anna', kind)}: the server refuses`),
      )
    }
    expect(stepsIn(plan)).to.have.length(4)
    // What is known to be refused is not tried again.
    await sync('plan', '--logins')
    expect(await refusals()).to.equal(4)

    const applied = await sync('apply')
    expect(applied.code, applied.stderr + applied.stdout).to.equal(0)
    for (const daemon of accounts.servers) {
      expect(await letsIn(daemon, accounts.login('anna', daemon.kind), byHand), daemon.kind).to.equal(false)
      await roundTrip(daemon.kind, 'with a secret of the gateway')
    }
    expect((await sync('plan', '--logins')).code).to.equal(0)
    expect(await refusals()).to.equal(4)
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

  it('leaves a foreign account of the wanted name alone until it is adopted, and then its files', async () => {
    const theirs = 'Theirs-not-ours-1'
    const foreign = [lab.daemon('sshd'), lab.daemon('proftpd')]
    const { homes } = lab.machine
    await accounts.byHand([
      '/usr/sbin/useradd',
      '--create-home',
      '--home-dir',
      `${homes}/bert-s`,
      '--shell',
      '/bin/sh',
      'bert-s',
    ])
    const line = `bert-p:${encrypt('nothing')}:1600:1600::${homes}/bert-p:/bin/sh\n`
    await appendFile(lab.daemon('proftpd').authUserFile, line)
    await accounts.byHand(['install', '-d', '-m', '0700', '-o', '1600', '-g', '1600', `${homes}/bert-p`])
    for (const { kind } of foreign) {
      const login = accounts.login('bert', kind)
      await accounts.byHand(['cp', '/etc/hostname', `${homes}/${login}/theirs.txt`])
      await accounts.setPasswordByHand(kind, login, theirs)
    }
    const files = await readFile(path.join(lab.machine.etc, 'hostname'), 'utf8')

    await accounts.grant([BERT])
    const plan = await sync('plan')
    for (const { kind } of foreign) {
      expect(plan.stdout).to.match(new RegExp(`${kind} +\\(adopt\\) +${accounts.login('bert', kind)} is there already`))
    }
    expect(plan.stdout).to.not.match(/ (create|set-secret|make-home|fix-home) +bert-[sp]/)
    const applied = await sync('apply')
    expect(applied.code, applied.stderr + applied.stdout).to.equal(0)
    for (const daemon of foreign) {
      expect(await letsIn(daemon, accounts.login('bert', daemon.kind), theirs), daemon.kind).to.equal(true)
      const { status } = await accounts.ask(BERT, 'GET', gateway.dav(daemon.kind, 'theirs.txt'))
      expect(status, daemon.kind).to.be.oneOf([403, 404])
    }

    for (const { kind } of foreign) {
      const adopted = await sync('adopt', kind, accounts.login('bert', kind))
      expect(adopted.code, adopted.stderr).to.equal(0)
    }
    const after = await sync('plan')
    expect(stepsIn(after)).to.deep.equal([
      'proftpd  set-secret    bert-p: has no secret of the gateway yet',
      'sshd  set-secret    bert-s: has no secret of the gateway yet',
    ])
    for (const daemon of foreign) {
      expect(await letsIn(daemon, accounts.login('bert', daemon.kind), theirs), daemon.kind).to.equal(true)
    }
    const [, id] = /--plan (\d+)/.exec(after.stderr) ?? []
    const set = await sync('apply', '--plan', id ?? '')
    expect(set.code, set.stderr + set.stdout).to.equal(0)
    for (const daemon of foreign) {
      expect(await letsIn(daemon, accounts.login('bert', daemon.kind), theirs), daemon.kind).to.equal(false)
    }
    for (const { kind } of accounts.servers) {
      const written = await accounts.ask(BERT, 'PUT', gateway.dav(kind, 'note.txt'), 'mine now')
      expect(written.status, `${kind} ${written.text}`).to.be.oneOf([201, 204])
    }
    for (const { kind } of foreign) {
      const answer = await accounts.ask(BERT, 'GET', gateway.dav(kind, 'theirs.txt'))
      expect(answer, kind).to.deep.equal({ status: 200, text: files })
    }
    expect((await sync('plan', '--logins')).code).to.equal(0)
  })
})

/** Of every process of this machine, the lab's too. */
async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter((line) => line !== '')
}
