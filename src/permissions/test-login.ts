import type { Server } from '../servers/server.js'
import type { ServerService } from '../servers/server-service.js'
import type { Login } from '../storage/driver.js'
import type { PermissionService } from './permission-service.js'

/**
 * With whose login a server is tried: the admin login, else that of any permission that has credentials; undefined when
 * there is neither.
 * @throws SecretError
 */
export async function testLogin(
  { servers, permissions }: { servers: ServerService; permissions: PermissionService },
  server: Server,
): Promise<Login | undefined> {
  const admin = await servers.adminLogin(server.id)
  if (admin?.password !== undefined) return admin
  const granted = await permissions.list({ serverId: server.id })
  const usable = granted.find(({ credentials }) => credentials !== 'none')
  return usable && permissions.login(usable.id)
}
