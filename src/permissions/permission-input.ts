import { z } from 'zod'
import { endDate } from '../parse-input.js'
import { remotePassword, remoteText, remoteUser } from '../servers/server-input.js'
import { resolveRemote } from '../storage/remote-path.js'

/** OpenSSH or PEM; line breaks belong to it. */
const privateKey = z
  .string()
  .max(65536, 'must not be longer than 64 KiB')
  .regex(
    /^\s*-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]+-----END [A-Z0-9 ]*PRIVATE KEY-----\s*$/,
    'must be a private key in OpenSSH or PEM form, from -----BEGIN to the last -----',
  )

/** How the user logs in there; at most one of password and key. */
export const credentials = z
  .strictObject({
    password: remotePassword.optional(),
    privateKey: privateKey.optional(),
    passphrase: remoteText(1024).optional(),
  })
  .superRefine((input, context) => {
    if (input.password !== undefined && input.privateKey !== undefined) {
      context.addIssue({ code: 'custom', path: ['privateKey'], message: 'must not be given together with a password' })
    }
    if (input.passphrase !== undefined && input.privateKey === undefined) {
      context.addIssue({ code: 'custom', path: ['passphrase'], message: 'is only for a private key' })
    }
  })

export type Credentials = z.input<typeof credentials>

const root = z
  .string()
  .min(1, 'must not be empty: leave it out to start where the login lands')
  .refine((text) => Buffer.byteLength(text) <= 4096, 'must not be longer than 4096 bytes')
  .refine(isRemotePath, 'must be a folder without ".." and control characters')

function isRemotePath(text: string): boolean {
  try {
    resolveRemote('/', text)
    return true
  } catch {
    return false
  }
}

const home = root.refine((text) => text.startsWith('/'), 'must be an absolute path')

const access = z.enum(['read-write', 'read-only'], { error: 'must be read-write or read-only' })

/** What can be said about a permission besides its credentials; null goes back to the default. */
export const permissionChanges = z.strictObject({
  remoteUser: remoteUser.nullable().optional(),
  access: access.optional(),
  root: root.nullable().optional(),
  endsAt: endDate.nullable().optional(),
  /** Whether the user may enter the own remote password. */
  selfService: z.boolean().optional(),
  /** Whether the account on the server follows this permission. */
  managed: z.boolean().optional(),
  /** Wanted home of a managed account; default: where the server puts homes. */
  home: home.nullable().optional(),
})

export type PermissionChanges = z.input<typeof permissionChanges>

export const newPermission = permissionChanges.extend({
  userId: z.number().int(),
  serverId: z.number().int(),
  credentials: credentials.optional(),
})

export type NewPermission = z.input<typeof newPermission>
