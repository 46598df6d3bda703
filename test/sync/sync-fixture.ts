import { createLogger } from '../../src/logger.js'
import { AccountDecisions } from '../../src/sync/account-decisions.js'
import { PendingSecrets } from '../../src/sync/account-secrets.js'
import { ManagedAccounts } from '../../src/sync/managed-accounts.js'
import { ProvisionerService, type ProvisionerInput } from '../../src/sync/provisioner-service.js'
import { Synchroniser } from '../../src/sync/synchroniser.js'
import { actor, FINGERPRINT, openTestServices, type TestServices } from '../support/services.js'
import { MemoryAccounts } from './memory-accounts.js'

/** Services and a synchroniser over servers that are kept in memory. */
export async function openSync() {
  const services = await openTestServices()
  const memory = new Map<number, MemoryAccounts>()
  const fixture = new SyncFixture(services, memory)
  return fixture
}

export class SyncFixture {
  readonly accounts: ManagedAccounts
  readonly provisioners: ProvisionerService
  readonly pending: PendingSecrets
  sync: Synchroniser
  decisions: AccountDecisions
  /** What was told of each step. */
  readonly steps: string[] = []
  /** For synchronisers that are made from now on. */
  oldSecretGrace = 60_000
  #servers = 0

  constructor(
    readonly services: TestServices,
    readonly memory: Map<number, MemoryAccounts>,
  ) {
    const { database, audit, cipher } = services
    this.accounts = new ManagedAccounts(database)
    this.provisioners = new ProvisionerService(database, audit, cipher)
    this.pending = new PendingSecrets(cipher)
    this.sync = this.newSynchroniser()
    this.decisions = this.newDecisions()
  }

  /** As another process would have one. */
  newSynchroniser(): Synchroniser {
    const { provisioners, accounts, pending } = this
    const { queue, database, audit, servers, permissions } = this.services
    return new Synchroniser({
      ...{ provisioners, accounts, pending, queue, database, audit, servers, permissions },
      log: createLogger({ level: 'silent' }),
      drivers: {
        dial: () => Promise.reject(new Error('nothing is dialled here')),
        driverFor: () => ({
          fingerprint: () => Promise.resolve(undefined),
          connect: (endpoint, login) => this.at(endpoint.port).drivers.driverFor('ftp').connect(endpoint, login),
        }),
      },
      open: ({ server }) => this.at(server.endpoint.port).open(),
      pause: 20,
      oldSecretGrace: this.oldSecretGrace,
      onStep: ({ kind, outcome }) => void this.steps.push(`${kind} ${outcome}`),
    })
  }

  newDecisions(): AccountDecisions {
    const { accounts, sync: synchroniser } = this
    const { queue, database, audit, servers, permissions } = this.services
    return new AccountDecisions({ accounts, synchroniser, queue, database, audit, servers, permissions })
  }

  /** By the port, which is a number of its own for each. */
  at(port: number): MemoryAccounts {
    const memory = this.memory.get(port)
    if (!memory) throw new Error(`no server at ${port}`)
    return memory
  }

  async server(
    alias: string,
    { protocol = 'ftp', ...options }: { protocol?: 'ftp' | 'sftp' } & Omit<ProvisionerInput, 'settings'> = {},
  ) {
    const port = 2000 + this.#servers++
    const trust = protocol === 'sftp' ? { trust: { fingerprint: FINGERPRINT } } : {}
    const address = { alias, protocol, host: '127.0.0.1', port, ...trust }
    const server = await this.services.servers.create(address, actor)
    await this.provisioners.set(server.id, { settings: SETTINGS, ...options }, actor)
    const memory = new MemoryAccounts()
    this.memory.set(port, memory)
    return { id: server.id, memory }
  }

  async user(username: string) {
    return this.services.users.create({ username, password: { hash: HASH } }, actor)
  }

  async grant(userId: number, serverId: number, fields: { home?: string; remoteUser?: string } = {}) {
    return this.services.permissions.grant({ userId, serverId, managed: true, ...fields }, actor)
  }

  /** Plans, says yes and waits. */
  async planAndApply({ confirm = true } = {}) {
    const planned = await this.sync.plan(undefined, actor)
    await this.sync.apply(planned.id, actor, { confirm })
    await this.sync.idle()
    return { planned, run: await this.services.queue.run(planned.id) }
  }

  async close(): Promise<void> {
    await this.sync.stop()
    await this.services.close()
  }
}

/** Of a server whose accounts can be given keys as well. */
export const SETTINGS = { kind: 'system', authorizedKeys: '/etc/ssh/authorized_keys' } as const

/** Nobody logs in with it. */
const HASH = `$2b$04$${'a'.repeat(53)}`
