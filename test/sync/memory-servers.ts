import { ProvisionError } from '../../src/sync/provision-error.js'
import type { openProvisioner } from '../../src/sync/open-provisioner.js'
import { MemoryAccounts } from './memory-accounts.js'

/** Servers whose accounts are kept in memory, by host; others do not answer. To be a `Sync`'s way to open them. */
export class MemoryServers {
  readonly #servers = new Map<string, MemoryAccounts>()

  add(host: string): MemoryAccounts {
    const accounts = new MemoryAccounts()
    this.#servers.set(host, accounts)
    return accounts
  }

  readonly open: typeof openProvisioner = ({ server: { endpoint } }) =>
    this.#servers.get(endpoint.host)?.open() ??
    Promise.reject(new ProvisionError('UNREACHABLE', `${endpoint.host} does not answer.`))
}
