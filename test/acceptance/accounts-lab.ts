import { expect } from 'chai'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { openSshMachine } from '../../src/sync/ssh-machine.js'
import { labFor, type Lab, type LabDaemon } from '../lab/lab.js'
import { INNER_ROOT } from '../lab/world.js'
import { GatewayProcess } from '../support/gateway.js'
import { drivers, sshSettings } from '../sync/managed-server.js'

/** Unix accounts of sshd and vsftpd are the same machine's: each permission has a login of its own. */
const SUFFIXES: Readonly<Record<string, string>> = { sshd: 's', vsftpd: 'v', proftpd: 'p', 'pure-ftpd': 'u' }

/** A user and the password of the gateway, which its servers never see. */
export interface Person {
  readonly username: string
  readonly password: string
}

/** One request to the drive. */
export async function askAs({ username, password }: Person, method: string, url: string, body?: string) {
  const authorization = 'Basic ' + Buffer.from(`${username}:${password}`).toString('base64')
  const headers = { authorization, ...(method === 'PROPFIND' && { depth: '1' }) }
  const response = await fetch(url, { method, headers, ...(body !== undefined && { body }) })
  return { status: response.status, text: await response.text() }
}

/** Four real servers whose accounts a gateway keeps, and a second sshd through which those of vsftpd are kept. */
export class AccountsLab {
  private constructor(
    readonly lab: Lab,
    readonly gateway: GatewayProcess,
    readonly servers: readonly LabDaemon[],
    /** How vsftpd's accounts are reached. */
    readonly wayToVsftpd: LabDaemon,
  ) {}

  static async start(context: Mocha.Context, env: Readonly<Record<string, string>> = {}): Promise<AccountsLab> {
    const lab = await labFor(context, {
      daemons: [
        'sshd',
        'vsftpd',
        { kind: 'proftpd', settings: ['AuthGroupFile /etc/ftpd.group'] },
        { kind: 'pure-ftpd', settings: ['--login', 'puredb:/etc/pure-ftpd/pureftpd.pdb'] },
        'sshd',
      ],
      machine: true,
    })
    const folder = path.join(lab.machine.etc, 'pure-ftpd')
    await mkdir(folder, { recursive: true })
    await writeFile(path.join(folder, 'pureftpd.passwd'), '', { mode: 0o600 })
    await writeFile(lab.daemon('proftpd').authUserFile, '', { mode: 0o600 })
    const servers = lab.daemons.slice(0, 4)
    const aliases = servers.map(({ kind, endpoint }) => ({ alias: kind, endpoint }))
    const gateway = await GatewayProcess.start({ servers: aliases, users: [], permissions: [] }, { env })
    return new AccountsLab(lab, gateway, servers, lab.daemons[4] ?? lab.daemon('sshd'))
  }

  login(username: string, alias: string): string {
    return `${username}-${SUFFIXES[alias]}`
  }

  /** Everybody is to have an account on each server. */
  async grant(people: readonly Person[]): Promise<void> {
    // Hashing the passwords of many takes longer than a command may.
    for (let first = 0; first < people.length; first += 10) await this.#grant(people.slice(first, first + 10))
  }

  async #grant(people: readonly Person[]): Promise<void> {
    const cluster = {
      servers: this.servers.map((daemon) => ({ ...this.#serverOf(daemon), provisioner: this.#provisionerOf(daemon) })),
      users: people,
      permissions: people.flatMap(({ username }) =>
        this.servers.map(({ kind }) => ({
          ...{ user: username, server: kind, remoteUser: this.login(username, kind), managed: true },
        })),
      ),
    }
    const file = path.join(this.gateway.folder, 'accounts.yaml')
    await writeFile(file, JSON.stringify(cluster), { mode: 0o600 })
    const { code, stderr } = await this.gateway.cli('apply', file)
    expect(code, stderr).to.equal(0)
  }

  /** As an administrator, by REST. */
  async api<T>(method: string, url: string, body?: object): Promise<T> {
    const basic = Buffer.from('admin:admin-of-the-test').toString('base64')
    const response = await fetch(`${this.gateway.url}/api/v1${url}`, {
      method,
      headers: { authorization: `Basic ${basic}`, accept: 'application/json', 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    expect(response.ok, `${method} ${url}: ${response.status} ${text.slice(0, 500)}`).to.equal(true)
    return JSON.parse(text) as T
  }

  /** What an administrator does on the machine of all servers, past the gateway. */
  async byHand(argv: readonly string[], input = ''): Promise<void> {
    const machine = await openSshMachine(this.lab.daemon('sshd').endpoint, this.lab.machine.root, { drivers })
    try {
      const { code, stderr } = await machine.run(argv, { input })
      expect(code, `${argv.join(' ')}: ${stderr}`).to.equal(0)
    } finally {
      await machine.close()
    }
  }

  /** By the server's own tool. */
  setPasswordByHand(alias: string, login: string, password: string): Promise<void> {
    const { purePw } = this.lab.machine
    if (alias === 'proftpd') {
      const file = this.lab.daemon('proftpd').authUserFile
      const ftpasswd = ['perl', `${INNER_ROOT}/usr/sbin/ftpasswd`, '--passwd', '--file', file, '--sha512', '--stdin']
      return this.byHand([...ftpasswd, '--change-password', '--name', login], `${password}\n`)
    }
    if (alias === 'pure-ftpd') {
      const files = ['-f', '/etc/pure-ftpd/pureftpd.passwd', '-F', '/etc/pure-ftpd/pureftpd.pdb', '-m']
      return this.byHand([purePw, 'passwd', login, ...files], `${password}\n${password}\n`)
    }
    return this.byHand(['/usr/sbin/chpasswd'], `${login}:${password}\n`)
  }

  ask(person: Person, method: string, url: string, body?: string) {
    return askAs(person, method, url, body)
  }

  async stop(): Promise<void> {
    await this.gateway.stop()
    await this.lab.stop()
  }

  #serverOf({ kind, endpoint: { protocol, host, port, trust } }: LabDaemon) {
    const pinned = trust.kind === 'pinned' && { trust: { fingerprint: trust.fingerprints } }
    return { ...{ alias: kind, protocol, host, port }, ...pinned }
  }

  #provisionerOf({ kind, authUserFile }: LabDaemon) {
    const { homes, root, purePw } = this.lab.machine
    const way = kind === 'vsftpd' ? this.wayToVsftpd : this.lab.daemon('sshd')
    const settings = {
      ...(kind === 'proftpd' && { kind: 'proftpd-file', userFile: authUserFile, groupFile: '/etc/ftpd.group' }),
      ...(kind === 'pure-ftpd' && { kind: 'pure-ftpd', program: purePw }),
      ...((kind === 'sshd' || kind === 'vsftpd') && { kind: 'system' }),
    }
    const ssh = sshSettings(way, root.username)
    return { settings: { ...settings, ssh, homeBase: homes }, secrets: { privateKey: root.privateKey } }
  }
}
