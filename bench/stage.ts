import type { Endpoint } from '../src/storage/driver.js'
import { startLab, type DaemonKind, type Lab } from '../test/lab/lab.js'
import { GatewayProcess } from '../test/support/gateway.js'
import { delayProxy, type DelayProxy } from './delay-proxy.js'
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

  async restart(): Promise<void> {
    await this.process.end()
    await this.process.serve()
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
    const lab = await startLab({ daemons: [...new Set(places.map(({ kind }) => kind))] })
    stops.push(() => lab.stop())
    const servers: Server[] = []
    for (const place of places) {
      const { kind, roundTrip } = place
      const daemon = lab.daemon(kind)
      const { username, password, home, uid } = daemon.account('alice')
      let endpoint = daemon.endpoint
      if (roundTrip !== undefined) {
        const proxy: DelayProxy = await delayProxy(endpoint, roundTrip)
        stops.push(() => proxy.stop())
        endpoint = proxy.endpoint
      }
      servers.push({ name: nameOf(place), kind, endpoint, login: { username, password }, home, uid })
    }
    const gateway = await startGateway(servers, nodeOptions)
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

async function startGateway(servers: readonly Server[], nodeOptions: readonly string[]): Promise<Gateway> {
  const users = Array.from({ length: USERS }, (_, n) => ({ username: userName(n), password: PASSWORD }))
  const process = await GatewayProcess.start(
    {
      servers: servers.map(({ name, endpoint }) => ({ alias: name, endpoint })),
      users,
      permissions: users.flatMap(({ username: user }) =>
        servers.map(({ name, login }) => ({ user, server: name, login })),
      ),
    },
    { nodeOptions },
  )
  return new Gateway(process)
}
