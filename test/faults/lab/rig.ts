import { chown, mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { sftpServer } from '../../lab/daemons/sshd.js'
import {
  labFor,
  startLab,
  type AccountName,
  type DaemonKind,
  type Lab,
  type LabAccount,
  type LabDaemon,
  type LabOptions,
} from '../../lab/lab.js'
import { INNER_ROOT } from '../../lab/world.js'
import { PASSWORD, USER } from '../../support/drive.js'
import { GatewayProcess, type Cluster } from '../../support/gateway.js'
import { FaultProxy } from './fault-proxy.js'
import { ask, type Answer } from './http-client.js'
import type { Injector } from './injection.js'
import { SftpTap } from './sftp-tap.js'

/** A tenth of the defaults, besides connecting: a login of sshd takes its time on a busy machine. */
export const TENTHS: Readonly<Record<string, string>> = {
  FTPCLUSTER_DEADLINES_CONNECT: '3s',
  FTPCLUSTER_DEADLINES_METADATA: '1500ms',
  FTPCLUSTER_DEADLINES_FIRST_BYTE: '1500ms',
  FTPCLUSTER_DEADLINES_STALL: '3s',
  FTPCLUSTER_DEADLINES_WAIT: '3s',
  FTPCLUSTER_DEADLINES_CLIENT_IDLE: '6s',
  FTPCLUSTER_DEADLINES_SEND_STALL: '6s',
  FTPCLUSTER_BREAKER_PAUSE: '500ms',
  FTPCLUSTER_BREAKER_MAX_PAUSE: '2s',
  FTPCLUSTER_TIMEOUTS_HEADERS: '2s',
  FTPCLUSTER_TIMEOUTS_DRAIN: '3s',
  FTPCLUSTER_CACHE_TTL: '500ms',
  // A transfer breaks only where there is one.
  FTPCLUSTER_CACHE_FILES: '0',
}

/** One server of a rig, behind its fault proxy. */
export interface Station {
  readonly alias: string
  readonly kind: DaemonKind
  readonly daemon: LabDaemon
  readonly proxy: FaultProxy
  /** Commands of FTP in the clear, or requests of SFTP. */
  readonly commands: Injector
  /** Ends every session on the server. */
  resetAll(): void
  readonly account: LabAccount
  /** The account's home as this process sees it. */
  readonly home: string
  url(name?: string): string
  /** Puts a file of the account's beside the gateway. */
  plant(name: string, content: Buffer | string): Promise<string>
  ask(method: string, name: string, more?: Ask): Promise<Answer>
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  readonly onBytes?: (bytes: number, cut: () => void) => void | Promise<void>
}

export interface RigOptions {
  readonly daemons: LabOptions['daemons']
  readonly smallDisk?: number
  readonly env?: Readonly<Record<string, string>>
  readonly under?: readonly string[]
  /** Further servers, on which the (first) user has a login. */
  readonly others?: readonly { readonly alias: string; readonly endpoint: Cluster['servers'][number]['endpoint'] }[]
  /** Logins on every server, each a server of its own in the gateway, behind a proxy of its own. Default: alice. */
  readonly logins?: readonly AccountName[]
  /** So many users `user0`, `user1`, … instead of the one, dealt out to the logins. */
  readonly users?: number
}

/** Real servers, a fault proxy before each, and a gateway in a process of its own that knows them only through these. */
export class Rig {
  private constructor(
    readonly lab: Lab,
    readonly gateway: GatewayProcess,
    readonly stations: readonly Station[],
    readonly cluster: Cluster,
    private readonly tap: SftpTap,
  ) {}

  static async start(context: Mocha.Context | undefined, options: RigOptions): Promise<Rig> {
    const { smallDisk, env, under, others = [], logins = ['alice'], users } = options
    const tap = await SftpTap.start()
    const daemons = options.daemons.map((wanted) => {
      const { kind, settings } = typeof wanted === 'string' ? { kind: wanted, settings: [] } : wanted
      if (kind !== 'sshd') return { kind, settings }
      return { kind, settings: [tap.subsystem(sftpServer(INNER_ROOT)), ...settings] }
    })
    let lab: Lab
    try {
      const wanted = { daemons, ...(smallDisk === undefined ? {} : { smallDisk }) }
      lab = await (context === undefined ? startLab(wanted) : labFor(context, wanted))
    } catch (error) {
      await tap.stop()
      throw error
    }
    const places = await Promise.all(
      lab.daemons.flatMap((daemon, i) => {
        const first = lab.daemons.findIndex((other) => other.kind === daemon.kind) === i
        const alias = first ? daemon.kind : `${daemon.kind}-${i}`
        return logins.map(async (name, n) => {
          const proxy = await FaultProxy.start(daemon.endpoint, { ftp: daemon.endpoint.protocol === 'ftp' })
          const endpoint = { ...daemon.endpoint, port: proxy.port }
          return { alias: n === 0 ? alias : `${alias}-${name}`, daemon, endpoint, proxy, account: daemon.account(name) }
        })
      }),
    )
    const people =
      users === undefined
        ? [{ username: USER, login: undefined }]
        : Array.from({ length: users }, (_, i) => ({ username: `user${i}`, login: logins[i % logins.length] }))
    const cluster: Cluster = {
      servers: [...places.map(({ alias, endpoint }) => ({ alias, endpoint })), ...others],
      users: people.map(({ username }) => ({ username, password: PASSWORD })),
      permissions: [
        ...people.flatMap(({ username: user, login }) =>
          places
            .filter(({ account }) => login === undefined || account.username === login)
            .map(({ alias, account: { username, password } }) => ({
              user,
              server: alias,
              login: { username, ...(password === undefined ? {} : { password }) },
            })),
        ),
        ...others.map(({ alias }) => ({
          user: people[0]?.username ?? USER,
          server: alias,
          login: { username: 'x', password: 'canary-of-x' },
        })),
      ],
    }
    try {
      const gateway = await GatewayProcess.start(cluster, {
        env: { ...TENTHS, ...env },
        ...(under === undefined ? {} : { under }),
      })
      const stations = places.map(({ alias, daemon, proxy, account }) =>
        stationOf(gateway, daemon, proxy, tap, alias, account),
      )
      return new Rig(lab, gateway, stations, cluster, tap)
    } catch (error) {
      await Promise.all(places.map(({ proxy }) => proxy.stop()))
      await lab.stop()
      await tap.stop()
      throw error
    }
  }

  station(alias: string): Station {
    const found = this.stations.find((station) => station.alias === alias)
    if (found === undefined) throw new Error(`There is no ${alias} in this rig.`)
    return found
  }

  /** A request below `/dav/`. */
  ask(method: string, where: string, more: Ask = {}): Promise<Answer> {
    return ask({ method, url: `${this.gateway.url}/dav/${where}`, ...more })
  }

  /** Takes every rule off. */
  calm(): void {
    for (const { proxy, commands } of this.stations) {
      proxy.calm()
      commands.disarm()
    }
  }

  async stop(): Promise<void> {
    await this.gateway.stop()
    await Promise.all(this.stations.map(({ proxy }) => proxy.stop()))
    await this.lab.stop()
    await this.tap.stop()
  }
}

function stationOf(
  gateway: GatewayProcess,
  daemon: LabDaemon,
  proxy: FaultProxy,
  tap: SftpTap,
  alias: string,
  account: LabAccount,
): Station {
  const { kind } = daemon
  const { home, uid } = account
  const url = (below = '') => gateway.dav(alias, below)
  return {
    alias,
    kind,
    daemon,
    proxy,
    account,
    home,
    url,
    commands: kind === 'sshd' ? tap.commandsOf(uid) : proxy.commands,
    resetAll: () => proxy.resetAll(),
    async plant(below, content) {
      const file = path.join(home, below)
      for (let folder = path.dirname(below); folder !== '.'; folder = path.dirname(folder)) {
        await mkdir(path.join(home, folder), { recursive: true })
        await chown(path.join(home, folder), uid, uid)
      }
      await rm(file, { force: true, recursive: true })
      await writeFile(file, content)
      await chown(file, uid, uid)
      return file
    },
    ask: (method, below, more = {}) => ask({ method, url: url(below), ...more }),
  }
}
