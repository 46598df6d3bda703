import { z } from 'zod'
import { UnknownObjectError } from '../../../errors.js'
import { credentials } from '../../../permissions/permission-input.js'
import type { Permission } from '../../../permissions/permission-service.js'
import type { Server } from '../../../servers/server.js'
import { noContent, ok } from '../answers.js'
import { id } from '../input-values.js'
import { operation } from '../operation.js'

export const listOwnServers = operation({
  id: 'me.servers.list',
  method: 'GET',
  path: '/me/servers',
  summary: 'List the servers that you may reach',
  scope: 'any',
  responses: {
    200: {
      description: 'By alias.',
      body: z.object({
        items: z.array(
          z.object({
            serverId: z.int(),
            alias: z.string().describe('The folder name.'),
            protocol: z.string(),
            access: z.enum(['read-write', 'read-only']),
            remoteUser: z.string(),
            credentials: z.enum(['none', 'password', 'private-key']).describe('What is stored for you.'),
            selfService: z.boolean().describe('Whether you may set the remote password yourself.'),
            endsAt: z.iso.datetime().nullable(),
          }),
        ),
      }),
    },
  },
  async handle({ user, services }) {
    const servers = new Map((await services.servers.list()).map((server) => [server.id, server]))
    const permissions = await services.permissions.list({ userId: user.userId })
    const now = Date.now()
    return ok({
      items: permissions.flatMap((permission) => {
        const server = servers.get(permission.serverId)
        const ended = permission.endsAt !== undefined && permission.endsAt.getTime() <= now
        const outside = user.servers !== undefined && !user.servers.includes(permission.serverId)
        return !server?.enabled || ended || outside ? [] : [viewOf(permission, server)]
      }),
    })
  },
})

function viewOf(permission: Permission, { protocol }: Server) {
  const { serverId, alias, access, remoteUser, credentials, selfService, endsAt } = permission
  const shared = { serverId, alias, protocol, access, remoteUser, credentials, selfService }
  return { ...shared, endsAt: endsAt?.toISOString() ?? null }
}

export const setOwnCredentials = operation({
  id: 'me.servers.setCredentials',
  method: 'PUT',
  path: '/me/servers/{serverId}/credentials',
  summary: 'Set your remote password or key on a server',
  description: 'Where your permission lets you. Credentials are never shown.',
  scope: 'account',
  params: z.strictObject({ serverId: id }),
  body: credentials,
  example: { password: 'the password on the server' },
  responses: { 204: { description: 'It was set.' } },
  errors: [409],
  async handle({ params, body, user, actor, services }) {
    const permission = await services.permissions.find(user.userId, params.serverId)
    if (!permission) throw new UnknownObjectError('You have no permission on such a server.')
    await services.permissions.setOwnCredentials(user.userId, permission.id, body, actor)
    return noContent()
  },
})
