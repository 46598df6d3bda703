import { z } from 'zod'
import { newPermission, permissionChanges } from '../../../permissions/permission-input.js'
import type { Permission } from '../../../permissions/permission-service.js'
import { entityTag } from '../entity-tag.js'
import { idInBody, time } from '../input-values.js'

const access = z.enum(['read-write', 'read-only'])

/** A permission as the API shows it. It has no field for a secret. */
export const permissionSchema = z
  .object({
    id: z.int(),
    userId: z.int(),
    username: z.string(),
    serverId: z.int(),
    alias: z.string().describe('Of the server.'),
    remoteUser: z.string().describe('The login on the server.'),
    remoteUserGiven: z.boolean().describe('False: it is the username.'),
    credentials: z.enum(['none', 'password', 'private-key']),
    access,
    root: z.string().nullable().describe('Start folder; null: where the login lands.'),
    endsAt: z.iso.datetime().nullable(),
    selfService: z.boolean().describe('Whether the user may enter the own remote password.'),
    managed: z.boolean().describe('Whether the account on the server follows this permission.'),
    home: z.string().nullable().describe('Wanted home of a managed account; null: where the server puts homes.'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Permission' })

export function viewOfPermission(permission: Permission): z.input<typeof permissionSchema> {
  return {
    id: permission.id,
    userId: permission.userId,
    username: permission.username,
    serverId: permission.serverId,
    alias: permission.alias,
    remoteUser: permission.remoteUser,
    remoteUserGiven: permission.remoteUserGiven,
    credentials: permission.credentials,
    access: permission.access,
    root: permission.root ?? null,
    endsAt: permission.endsAt?.toISOString() ?? null,
    selfService: permission.selfService,
    managed: permission.managed,
    home: permission.home ?? null,
    createdAt: permission.createdAt.toISOString(),
    updatedAt: permission.updatedAt.toISOString(),
  }
}

export function tagOfPermission(permission: Permission): string {
  return entityTag([viewOfPermission(permission), permission.secretVersion])
}

/** JSON has no dates: what the service takes as one comes as text. */
const endsAt = time.nullable().optional().describe('A date without time includes that day (UTC). null: never.')

export const permissionChangesBody = permissionChanges.extend({ endsAt })

export const newPermissionBody = newPermission.extend({ userId: idInBody, serverId: idInBody, endsAt })
