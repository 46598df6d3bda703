import type { ServerRow } from '../db/models/server.js'
import type { ServerLimits, ServerTarget } from '../storage/account.js'
import type { Endpoint, Protocol } from '../storage/driver.js'
import type { Homes, UploadMode } from '../vfs/mount.js'
import { trustForDriver, type Encoding, type Server, type ServerTrust } from './server.js'

/** A row as a plain object. */
export function serverOf(row: ServerRow): Server {
  return {
    id: row.id,
    alias: row.alias,
    protocol: row.protocol as Protocol,
    host: row.host,
    port: row.port,
    enabled: row.enabled,
    trust: JSON.parse(row.trust) as ServerTrust,
    adminUser: row.adminUser ?? undefined,
    hasAdminPassword: row.adminPass !== null,
    limits: {
      ...(row.maxConnections !== null && { maxConnections: row.maxConnections }),
      ...(row.maxConnectionsPerAccount !== null && { maxConnectionsPerAccount: row.maxConnectionsPerAccount }),
    },
    encoding: row.encoding as Encoding,
    homes: row.homes as Homes,
    upload: row.uploadMode as UploadMode,
    version: row.version,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  }
}

export function endpointOf({ protocol, host, port, trust, encoding }: Server): Endpoint {
  return { protocol, host, port, trust: trustForDriver(trust), encoding }
}

/** A server as storage needs to know it. */
export function targetOf(server: Server, defaults: ServerLimits): ServerTarget {
  const { maxConnections, maxConnectionsPerAccount } = { ...defaults, ...server.limits }
  return {
    id: server.id,
    alias: server.alias,
    endpoint: endpointOf(server),
    limits: { maxConnections, maxConnectionsPerAccount: Math.min(maxConnectionsPerAccount, maxConnections) },
    version: String(server.version),
  }
}
