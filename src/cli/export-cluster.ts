import { stringify } from 'yaml'
import type { ServerTrust } from '../servers/server.js'
import type { ProvisionerInfo } from '../sync/provisioner-service.js'
import type { Services } from './services.js'

/**
 * The database as a cluster file that `apply` takes.
 * @param options.secrets with the passwords and keys of the servers in clear, and the users' password hashes
 */
export async function exportCluster(services: Services, { secrets = false } = {}): Promise<string> {
  const { servers, users, permissions } = services
  const provisioners = new Map((await services.provisioners.list()).map((info) => [info.serverId, info]))
  return stringify({
    servers: await Promise.all(
      (await servers.list()).map(async (server) => ({
        alias: server.alias,
        protocol: server.protocol,
        host: server.host,
        port: server.port,
        ...trustField(server.trust),
        ...(server.adminUser !== undefined && { adminUser: server.adminUser }),
        ...(secrets && server.hasAdminPassword && { adminPassword: (await servers.adminLogin(server.id))?.password }),
        limits: server.limits,
        encoding: server.encoding,
        homes: server.homes,
        upload: server.upload,
        enabled: server.enabled,
        ...(await provisionerField(services, provisioners.get(server.id), secrets)),
      })),
    ),
    users: await Promise.all(
      (await users.list()).map(async (user) => ({
        username: user.username,
        ...(secrets && { passwordHash: (await users.credentials(user.username))?.passwordHash }),
        admin: user.role === 'admin',
        disabled: user.disabled,
      })),
    ),
    permissions: await Promise.all(
      (await permissions.list()).map(async (permission) => ({
        user: permission.username,
        server: permission.alias,
        ...(permission.remoteUserGiven && { remoteUser: permission.remoteUser }),
        ...(secrets && (await credentialFields(services, permission.id))),
        access: permission.access,
        ...(permission.root !== undefined && { root: permission.root }),
        ...(permission.endsAt !== undefined && { endsAt: permission.endsAt.toISOString() }),
        ...(permission.selfService && { selfService: true }),
        ...(permission.managed && { managed: true }),
        ...(permission.home !== undefined && { home: permission.home }),
      })),
    ),
  })
}

async function provisionerField(
  { provisioners }: Services,
  info: ProvisionerInfo | undefined,
  secrets: boolean,
): Promise<object> {
  if (!info) return {}
  const { settings, secretKind, automatic, checkEvery, rotateEvery } = info
  return {
    provisioner: {
      ...{ settings, secretKind, automatic },
      ...(checkEvery !== undefined && { checkEvery }),
      ...(rotateEvery !== undefined && { rotateEvery }),
      ...(secrets && info.hasSecrets && { secrets: await provisioners.secrets(info.serverId) }),
    },
  }
}

function trustField(trust: ServerTrust): object {
  switch (trust.kind) {
    case 'none':
      return {}
    case 'public-ca':
      return { trust: { publicCa: true } }
    case 'first-use':
      return { trust: { firstUse: true } }
    case 'pinned':
      return { trust: { fingerprint: trust.fingerprints.length === 1 ? trust.fingerprints[0] : trust.fingerprints } }
  }
}

async function credentialFields({ permissions }: Services, id: number): Promise<object> {
  const { password, privateKey, passphrase } = await permissions.login(id)
  return Object.fromEntries(
    Object.entries({ password, privateKey, passphrase }).filter(([, secret]) => secret !== undefined),
  )
}
