import { z } from 'zod'
import { PROTOCOLS, serverFields } from '../../../servers/server-input.js'
import type { Server, ServerTrust } from '../../../servers/server.js'
import { entityTag } from '../entity-tag.js'

const limit = z.int().nullable().describe('null: what the configuration says.')

/** A server as the API shows it. It has no field for a secret. */
export const serverSchema = z
  .object({
    id: z.int(),
    alias: z.string().describe('The folder name in the trees of its users.'),
    protocol: z.enum(PROTOCOLS),
    host: z.string(),
    port: z.int(),
    enabled: z.boolean(),
    trust: z
      .object({
        fingerprint: z.array(z.string()).optional(),
        publicCa: z.literal(true).optional(),
        firstUse: z.literal(true).optional(),
      })
      .nullable()
      .describe('As it can be given back: one of the three; null for plain ftp.'),
    trustedFingerprints: z.array(z.string()).describe('Host keys or certificates that are trusted now.'),
    adminUser: z.string().nullable(),
    hasAdminPassword: z.boolean(),
    limits: z.object({ maxConnections: limit, maxConnectionsPerAccount: limit }),
    encoding: z.enum(['utf8', 'latin1']),
    homes: z.enum(['auto', 'shared', 'separate']),
    upload: z.enum(['auto', 'atomic', 'direct']),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Server' })

type ServerView = z.input<typeof serverSchema>

export function viewOfServer(server: Server): ServerView {
  const { adminUser, limits, createdAt, updatedAt } = server
  return {
    id: server.id,
    alias: server.alias,
    protocol: server.protocol,
    host: server.host,
    port: server.port,
    enabled: server.enabled,
    trust: trustOf(server.trust),
    trustedFingerprints: server.trust.kind === 'pinned' ? [...server.trust.fingerprints] : [],
    adminUser: adminUser ?? null,
    hasAdminPassword: server.hasAdminPassword,
    limits: {
      maxConnections: limits.maxConnections ?? null,
      maxConnectionsPerAccount: limits.maxConnectionsPerAccount ?? null,
    },
    encoding: server.encoding,
    homes: server.homes,
    upload: server.upload,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}

function trustOf(trust: ServerTrust): ServerView['trust'] {
  switch (trust.kind) {
    case 'none':
      return null
    case 'public-ca':
      return { publicCa: true }
    case 'first-use':
      return { firstUse: true }
    case 'pinned':
      return trust.firstUse ? { firstUse: true } : { fingerprint: [...trust.fingerprints] }
  }
}

export function tagOfServer(server: Server): string {
  const { createdAt, updatedAt, ...state } = viewOfServer(server)
  return entityTag([state, createdAt, updatedAt])
}

export const newServerBody = serverFields.extend({ enabled: z.boolean().default(true) })
