import type { Endpoint, Login } from '../storage/driver.js'
import type { Drivers } from '../storage/drivers.js'
import { openCommandProvisioner } from './provisioners/command.js'
import { openFolderProvisioner } from './provisioners/folder.js'
import { openProftpdFileProvisioner } from './provisioners/proftpd-file.js'
import { openPureFtpdProvisioner } from './provisioners/pure-ftpd.js'
import { openSftpgoProvisioner } from './provisioners/sftpgo.js'
import { openSystemProvisioner } from './provisioners/system.js'
import type { ProvisionerSecret, ProvisionerSettings } from './provisioner-settings.js'
import type { Provisioner, ProvisionerCall } from './provisioner.js'

/** The server whose accounts are managed. */
export interface ProvisionedServer {
  readonly endpoint: Endpoint
  /** The server's own admin login, where one is stored. */
  readonly admin: Login | undefined
}

export interface ProvisionerOptions extends ProvisionerCall {
  readonly drivers: Drivers
  readonly server: ProvisionedServer
  /** As `parseInput(provisionerSettings, …)` gave them. */
  readonly settings: ProvisionerSettings
  readonly secret?: ProvisionerSecret | undefined
  /** The only folder from which commands are run on the gateway itself; without it none are. */
  readonly commandsFolder?: string | undefined
  /**
   * Whose work it is: the same for all runs of a gateway on this server, and nobody else's. What an earlier run left locked
   * there is taken over at once. Only for who holds the server's claim.
   */
  readonly owner?: string | undefined
  /** For each program, request or login, in milliseconds. */
  readonly deadline?: number | undefined
  /** Milliseconds since the epoch; dates archives. */
  readonly now?: (() => number) | undefined
}

/**
 * Logs in and hands out the session, which the caller closes. The connection is its own: it comes from no pool and goes to
 * none, so no user's request ever runs with the admin's rights.
 * @throws UNREACHABLE, UNTRUSTED, LOGIN_REJECTED, TIMED_OUT, UNSUPPORTED (settings that do not fit this server)
 */
export async function openProvisioner(options: ProvisionerOptions): Promise<Provisioner> {
  const { settings } = options
  switch (settings.kind) {
    case 'folder':
      return openFolderProvisioner(settings, options)
    case 'system':
      return openSystemProvisioner(settings, options)
    case 'proftpd-file':
      return openProftpdFileProvisioner(settings, options)
    case 'pure-ftpd':
      return openPureFtpdProvisioner(settings, options)
    case 'sftpgo':
      return openSftpgoProvisioner(settings, options)
    case 'command':
      return openCommandProvisioner(settings, options)
  }
}
