import { expect } from 'chai'
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parse } from 'yaml'
import { startEmbeddedSftpServer, type EmbeddedSftpServer } from '../../src/demo/embedded-sftp-server.js'
import { labFor, type Lab } from '../lab/lab.js'
import { GatewayProcess } from '../support/gateway.js'
import { eventually } from '../support/upload.js'
import { plantCommands } from '../sync/accounts-command.js'
import { API_KEY, fakeSftpgo, type FakeSftpgo } from '../sync/fake-sftpgo.js'
import { connectTo, sshSettings } from '../sync/managed-server.js'
import { askAs } from './accounts-lab.js'

const ANNA = { username: 'anna', password: 'a password of anna' }
/** Her login on each server. */
const LOGINS = { keys: 'anna-k', commands: 'anna-c', sftpgo: 'anna-g' } as const
type Alias = keyof typeof LOGINS
const ALIASES = Object.keys(LOGINS) as Alias[]

/**
 * Kinds that the acceptance of accounts leaves out: Unix accounts with keys and commands of an admin on a real OpenSSH, and
 * SFTPGo, which is not to be had: its API and its logins are a fake and an SFTP server that obeys the fake.
 */
describe('accounts in step by key, by commands and with SFTPGo', function () {
  this.timeout(240_000)
  let lab: Lab
  let fake: FakeSftpgo
  let sftp: EmbeddedSftpServer
  let gateway: GatewayProcess

  before(async function () {
    lab = await labFor(this, { daemons: ['sshd'], machine: true })
    fake = await fakeSftpgo()
    sftp = await startEmbeddedSftpServer({ users: [await loginOfSftpgo(LOGINS.sftpgo)] })
    const env = { FTPCLUSTER_SYNC_OLD_SECRET_GRACE: '1s' }
    gateway = await GatewayProcess.start({ servers: [], users: [], permissions: [] }, { env })
    const file = path.join(gateway.folder, 'accounts.yaml')
    await writeFile(file, JSON.stringify(await clusterFile()), { mode: 0o600 })
    const { code, stderr } = await gateway.cli('apply', file)
    expect(code, stderr).to.equal(0)
  })
  after(async () => {
    await gateway?.stop()
    await sftp?.close()
    await fake?.stop()
    await lab?.stop()
  })

  /** Lets in whom the fake lets in. */
  async function loginOfSftpgo(username: string) {
    const root = path.join(lab.scratch, username)
    await mkdir(root)
    return {
      ...{ username, root },
      get password() {
        const user = fake.users.get(username)
        return (user?.status === 1 ? user.password : undefined) ?? randomUUID()
      },
    }
  }

  async function clusterFile() {
    const { homes, root } = lab.machine
    const commands = await plantCommands(lab.scratch)
    const { host, port, trust } = lab.daemon('sshd').endpoint
    const fingerprint = trust.kind === 'pinned' ? trust.fingerprints : []
    const sshd = { protocol: 'sftp', host, port, trust: { fingerprint } }
    const onSshd = { ssh: sshSettings(lab.daemon('sshd'), root.username), homeBase: homes }
    const secrets = { privateKey: root.privateKey }
    const authorizedKeys = lab.machine.authorizedKeys
    return {
      servers: [
        {
          ...{ alias: 'keys', ...sshd },
          provisioner: { settings: { kind: 'system', ...onSshd, authorizedKeys }, secrets, secretKind: 'key' },
        },
        { alias: 'commands', ...sshd, provisioner: { settings: { kind: 'command', ...onSshd, commands }, secrets } },
        {
          ...{ alias: 'sftpgo', protocol: 'sftp', host: '127.0.0.1', port: sftp.port },
          trust: { fingerprint: sftp.fingerprint },
          provisioner: { settings: { kind: 'sftpgo', url: fake.url }, secrets: { apiKey: API_KEY } },
        },
      ],
      users: [ANNA],
      permissions: ALIASES.map((server) => ({
        ...{ user: ANNA.username, server, remoteUser: LOGINS[server], managed: true },
      })),
    }
  }

  const sync = (...args: string[]) => gateway.cli('sync', ...args)
  const ask = (method: string, url: string, body?: string) => askAs(ANNA, method, url, body)
  const keysFile = () => path.join(lab.machine.etc, 'ssh/authorized_keys', LOGINS.keys)
  const keys = async () => (await readFile(keysFile(), 'utf8')).split('\n').filter((line) => line !== '')

  async function applied(): Promise<void> {
    const { code, stdout, stderr } = await sync('apply')
    expect(code, stderr + stdout).to.equal(0)
  }

  async function works(text: string): Promise<void> {
    for (const alias of ALIASES) {
      const url = gateway.dav(alias, 'note.txt')
      await eventually(`writing on ${alias}`, 5, async () => [201, 204].includes((await ask('PUT', url, text)).status))
      expect(await ask('GET', url)).to.deep.equal({ status: 200, text })
    }
  }

  /** What the gateway logs in with, by server. */
  async function secrets(): Promise<Record<string, { password?: string; privateKey?: string }>> {
    const { stdout } = await gateway.cli('export', '--with-secrets')
    const { permissions } = parse(stdout) as {
      permissions: { server: string; password?: string; privateKey?: string }[]
    }
    const entries = permissions.map(({ server, password, privateKey }) => [
      server,
      { ...(password !== undefined && { password }), ...(privateKey !== undefined && { privateKey }) },
    ])
    return Object.fromEntries(entries) as Record<Alias, { password?: string; privateKey?: string }>
  }

  it('makes what the plan shows, and the user reads and writes at once', async () => {
    const plan = await sync('plan')
    expect(plan.code, plan.stderr + plan.stdout).to.equal(3)
    for (const alias of ALIASES) expect(plan.stdout).to.match(new RegExp(`${alias} +create +${LOGINS[alias]}`))
    await applied()
    expect((await secrets())['keys']).to.have.all.keys('privateKey')
    expect(fake.users.get(LOGINS.sftpgo)).to.include({ status: 1, home_dir: `/srv/sftpgo/data/${LOGINS.sftpgo}` })
    await works('hello')
    const { code, stdout } = await sync('plan', '--logins')
    expect(code, stdout).to.equal(0)
  })

  it('finds and mends what was done by hand', async () => {
    await rm(keysFile())
    const shadow = path.join(lab.machine.etc, 'shadow')
    await writeFile(shadow, (await readFile(shadow, 'utf8')).replace(`${LOGINS.commands}:`, `${LOGINS.commands}:!`))
    fake.users.delete(LOGINS.sftpgo)
    const plan = await sync('plan', '--logins')
    expect(plan.code, plan.stdout).to.equal(3)
    expect(plan.stdout).to.match(/keys +set-secret +anna-k/)
    expect(plan.stdout).to.match(/commands +enable +anna-c/)
    expect(plan.stdout).to.match(/sftpgo +create +anna-g/)
    await applied()
    await works('again')
    // The old key ends by a step of its own, which may be due and not yet done.
    await eventually('a plan without steps', 20, async () => (await sync('plan', '--logins')).code === 0)
  })

  it('changes every secret while its user works; an old key stays for a while, and a step ends it', async () => {
    const before = await secrets()
    let working = true
    const failures: string[] = []
    const clients = ALIASES.map(async (alias) => {
      for (let round = 0; working; round++) {
        const { status } = await ask('PUT', gateway.dav(alias, `round-${round % 3}.txt`), String(round))
        if (![201, 204].includes(status)) failures.push(`${alias} ${status}`)
      }
    })
    const rotated = await sync('rotate')
    await eventually('the old key is gone', 60, async () => (await keys()).length === 1)
    working = false
    await Promise.all(clients)
    expect(rotated.code, rotated.stderr + rotated.stdout).to.equal(0)
    expect(failures).to.deep.equal([])
    const after = await secrets()
    for (const alias of ALIASES) expect(after[alias], alias).to.be.an('object').and.not.deep.equal(before[alias])
    await works('with new secrets')
    const audit = await gateway.cli('audit', 'export')
    expect(audit.stdout).to.include('account.old-secret-ended')
    const { code, stdout } = await sync('plan', '--logins')
    expect(code, stdout).to.equal(0)
  })

  it('takes revoked folders away, disables the accounts, and keeps the files', async () => {
    const before = await secrets()
    for (const alias of ALIASES) {
      expect((await gateway.cli('permission', 'remove', ANNA.username, alias)).code).to.equal(0)
      await eventually('the folder is gone', 2, async () => (await ask('PROPFIND', gateway.dav(alias))).status === 404)
    }
    for (const alias of ['keys', 'commands'] as const) {
      const login = { username: LOGINS[alias], ...before[alias] }
      await eventually(`nobody logs in on ${alias}`, 30, () =>
        connectTo(lab.daemon('sshd'))(login).then(
          (connection) => {
            connection.close()
            return false
          },
          () => true,
        ),
      )
      const kept = await stat(path.join(lab.machine.homes, LOGINS[alias], 'note.txt'))
      expect(kept.size).to.equal(Buffer.byteLength('with new secrets'))
    }
    await eventually('SFTPGo has disabled its user', 30, () =>
      Promise.resolve(fake.users.get(LOGINS.sftpgo)?.status === 0),
    )
    await eventually('the plan is empty', 30, async () => (await sync('plan')).code === 0)
  })
})
