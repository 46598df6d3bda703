import type { Protocol, Trust } from '../storage/driver.js'
import type { ServerLimits } from '../storage/account.js'
import type { Homes, UploadMode } from '../vfs/mount.js'

/** Whom the gateway takes for this server. */
export type ServerTrust =
  | { readonly kind: 'none' }
  | { readonly kind: 'public-ca' }
  /** `firstUse`: recorded at the first successful test, not given by an admin. */
  | { readonly kind: 'pinned'; readonly fingerprints: readonly string[]; readonly firstUse: boolean }
  /** Nothing is trusted until the first successful test has recorded a fingerprint. */
  | { readonly kind: 'first-use' }

export type Encoding = 'utf8' | 'latin1'

/** A registered server, without its secrets. */
export interface Server {
  readonly id: number
  /** Its folder name in the trees of its users. */
  readonly alias: string
  readonly protocol: Protocol
  readonly host: string
  readonly port: number
  readonly enabled: boolean
  readonly trust: ServerTrust
  readonly adminUser: string | undefined
  readonly hasAdminPassword: boolean
  /** Where they differ from what the configuration says for all servers. */
  readonly limits: Partial<ServerLimits>
  readonly encoding: Encoding
  readonly homes: Homes
  readonly upload: UploadMode
  /** Grows with every change that an open connection would not know. */
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** The driver's view: before the first use nothing fits, so that no credential is sent. */
export function trustForDriver(trust: ServerTrust): Trust {
  if (trust.kind === 'first-use') return { kind: 'pinned', fingerprints: [] }
  if (trust.kind === 'pinned') return { kind: 'pinned', fingerprints: trust.fingerprints }
  return trust
}
