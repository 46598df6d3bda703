import type { Login } from '../storage/driver.js'
import type { Machine } from './machine.js'
import type { ProvisionerOptions } from './open-provisioner.js'
import { ProvisionError } from './provision-error.js'
import type { SshSettings } from './provisioner-settings.js'
import { openSshMachine } from './ssh-machine.js'
import { Tools } from './tools.js'

/** The server's machine, by the SSH login of the settings or by the server's own admin login. */
export async function openMachine(
  ssh: SshSettings | undefined,
  options: ProvisionerOptions,
): Promise<{ machine: Machine; login: string }> {
  const { server, secret = {} } = options
  if (ssh === undefined) {
    if (server.endpoint.protocol !== 'sftp') {
      throw new ProvisionError('UNSUPPORTED', 'Programs need SSH: say address, login and host key for this server.')
    }
    if (server.admin === undefined) throw new ProvisionError('UNSUPPORTED', 'The server has no admin login stored.')
    const login = { ...server.admin, ...credentials(options) }
    return { machine: await openSshMachine(server.endpoint, login, options), login: login.username }
  }
  const { host = server.endpoint.host, port, fingerprints, username } = ssh
  if (secret.password === undefined && secret.privateKey === undefined) {
    throw new ProvisionError('UNSUPPORTED', `No password or key is stored for the SSH login ${username}.`)
  }
  const login: Login = { username, ...credentials(options) }
  const endpoint = { host, port, trust: { kind: 'pinned', fingerprints } } as const
  return { machine: await openSshMachine(endpoint, login, options), login: username }
}

function credentials({ secret = {} }: ProvisionerOptions): Omit<Login, 'username'> {
  const { password, privateKey, passphrase } = secret
  return {
    ...(password !== undefined && { password }),
    ...(privateKey !== undefined && { privateKey }),
    ...(passphrase !== undefined && { passphrase }),
  }
}

export async function openTools(ssh: SshSettings | undefined, options: ProvisionerOptions): Promise<Tools> {
  const { machine, login } = await openMachine(ssh, options)
  try {
    return await Tools.of(machine, login, { signal: options.signal })
  } catch (error) {
    await machine.close()
    throw error
  }
}
