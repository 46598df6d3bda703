import type { Endpoint } from '../src/storage/driver.js'
import { PasswordHasher } from '../src/auth/password-hasher.js'
import { startLab, type DaemonKind, type Lab } from '../test/lab/lab.js'
import { GatewayProcess } from '../test/support/gateway.js'
import { delayProxy } from './delay-proxy.js'
import type { Drive } from './drive.js'
import { Peer } from './peer.js'

/** A server as both drives reach it: a daemon of the lab, perhaps at a distance. */
export interface Server {
  /** Its folder in both drives. */
  readonly name: string
  readonly kind: DaemonKind
  readonly endpoint: Endpoint
  readonly login: { readonly username: string; readonly password: string | undefined }
  /** The login's home as this machine sees it. */
  readonly home: string
  /** Owner of what is planted there. */
  readonly uid: number
}

export interface Place {
  readonly kind: DaemonKind
  /** Milliseconds that lie between the drives and the server. */
  readonly roundTrip?: number
}

/** rclone 1.60 does not always resume the TLS session on data connections, which proftpd asks for: its operations fail then. */
const SETTINGS: Partial<Record<DaemonKind, readonly string[]>> = {
  'proftpd-ftps': ['TLSOptions NoSessionReuseRequired'],
}

export interface Stage {
  readonly lab: Lab
  readonly servers: readonly Server[]
  readonly ftpcluster: Gateway
  readonly rclone: Peer
  /** rclone with `--vfs-cache-mode writes`, which answers a PUT before the server has the file. */
  readonly caching: Peer
  stop(): Promise<void>
}

export function nameOf({ kind, roundTrip }: Place): string {
  return roundTrip === undefined ? kind : `${kind}-${roundTrip}ms`
}

/** The product with its default settings. */
export class Gateway implements Drive {
  readonly name = 'ftpcluster'
  readonly prefix = '/dav/'

  constructor(private readonly process: GatewayProcess) {}

  get port(): number {
    return this.process.port
  }

  get pid(): number {
    return this.process.pid
  }

  authorization(user = 0): string {
    return `Basic ${Buffer.from(`${userName(user)}:${PASSWORD}`).toString('base64')}`
  }

  end(): Promise<void> {
    return this.process.end()
  }

  serve(): Promise<void> {
    return this.process.serve()
  }

  lastWords(): Promise<string> {
    return Promise.resolve(this.process.log.split('\n').slice(-4).join('\n'))
  }

  stop(): Promise<void> {
    return this.process.stop()
  }
}

export const USERS = 32
const PASSWORD = 'a password of the bench'
const userName = (n: number): string => `user${n}`

/** The lab's servers, the gateway and rclone over them. All is gone after `stop`. @param nodeOptions of the gateway's process */
export async function startStage(places: readonly Place[], nodeOptions: readonly string[] = []): Promise<Stage> {
  const stops: (() => unknown)[] = []
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end()
  }
  try {
    const kinds = [...new Set(places.map(({ kind }) => kind))]
    const lab = await startLab({ daemons: kinds.map((kind) => ({ kind, settings: SETTINGS[kind] ?? [] })) })
    stops.push(() => lab.stop())
    const servers: Server[] = []
    for (const place of places) {
      const [server, end] = await serverAt(lab, place)
      servers.push(server)
      stops.push(end)
    }
    const gateway = await startGateway(servers, { users: USERS, nodeOptions })
    stops.push(() => gateway.stop())
    const rclone = await Peer.start(servers, 'off')
    stops.push(() => rclone.stop())
    const caching = await Peer.start(servers, 'writes')
    stops.push(() => caching.stop())
    return { lab, servers, ftpcluster: gateway, rclone, caching, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Alice's home on a daemon, and what ends the way to it. */
export async function serverAt(lab: Lab, place: Place): Promise<readonly [server: Server, end: () => void]> {
  const { kind, roundTrip } = place
  const daemon = lab.daemon(kind)
  const { username, password, home, uid } = daemon.account('alice')
  const proxy = roundTrip === undefined ? undefined : await delayProxy(daemon.endpoint, roundTrip)
  const endpoint = proxy?.endpoint ?? daemon.endpoint
  const server = { name: nameOf(place), kind, endpoint, login: { username, password }, home, uid }
  return [server, () => proxy?.stop()]
}

/** The product with users who have the same folders, or those of `mounts`. */
export async function startGateway(
  servers: readonly Pick<Server, 'name' | 'endpoint' | 'login'>[],
  {
    users = 1,
    nodeOptions = [],
    mounts = () => servers,
  }: {
    readonly users?: number
    readonly nodeOptions?: readonly string[]
    readonly mounts?: (user: number) => readonly Pick<Server, 'name' | 'login'>[]
  } = {},
): Promise<Gateway> {
  // Whoever starts cold pays for the hash of a password; the others' are cheap ones, so that 200 can be there soon.
  const { hash: passwordHash } = await new PasswordHasher(4).hash(PASSWORD)
  const numbers = Array.from({ length: users }, (_, n) => n)
  const process = await GatewayProcess.start(
    {
      servers: servers.map(({ name, endpoint }) => ({ alias: name, endpoint })),
      users: numbers.map((n) => ({ username: userName(n), ...(n === 0 ? { password: PASSWORD } : { passwordHash }) })),
      permissions: numbers.flatMap((n) =>
        mounts(n).map(({ name, login }) => ({ user: userName(n), server: name, login })),
      ),
    },
    { nodeOptions },
  )
  return new Gateway(process)
}
