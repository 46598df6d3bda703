import { LRUCache } from 'lru-cache'
import { AccountPool, lentIn, type PooledConnection } from './account-pool.js'
import { messageOf } from '../errors.js'
import type { Account, ServerState, Use } from './account.js'
import { systemClock, type Clock } from './clock.js'
import type { ConnectionListener } from './connection-events.js'
import type { Connection, Driver, Login, Protocol } from './driver.js'
import { isStorageError, StorageError } from './errors.js'
import { Lease } from './lease.js'
import { defaultPoolLimits, type PoolLimits } from './pool-limits.js'
import { ServerPool, type PoolEnvironment, type PoolLog } from './server-pool.js'

export interface ConnectionsOptions {
  driverFor(protocol: Protocol): Driver
  readonly limits?: Partial<PoolLimits>
  readonly clock?: Clock
  readonly random?: () => number
  readonly log?: PoolLog | undefined
  readonly onEvent?: ConnectionListener | undefined
  /** Asked when a login was refused: what the account logs in with since a moment ago, if that is something else. */
  readonly newerLogin?: ((account: Account) => Promise<Login | undefined>) | undefined
}

export interface UseOptions {
  /** Ends the wait for a connection. The work passes it to its operations itself. */
  readonly signal?: AbortSignal | undefined
  /**
   * The work may run a second time, judged when it failed: it changes nothing and nobody has seen a part of its result.
   * Done once, when a connection that had served before turns out to be dead (CONNECTION_LOST). TIMED_OUT is never
   * repeated: the server may be at it still, and the caller has waited a whole deadline already.
   */
  readonly repeatable?: boolean | (() => boolean)
}

export interface PoolStats {
  readonly servers: readonly {
    readonly serverId: number
    readonly alias: string
    readonly state: ServerState
    readonly open: number
    readonly lent: number
    readonly connecting: number
    readonly waiting: number
    readonly limit: number
  }[]
  readonly accounts: readonly {
    readonly accountKey: string
    readonly serverId: number
    readonly open: number
    readonly lent: number
    readonly waiting: number
    readonly limit: number
  }[]
}

/** What is remembered of an account longer than its connections. */
type Known =
  | { readonly kind: 'home'; readonly home: string }
  | { readonly kind: 'rejected'; readonly error: StorageError; readonly until: number }

const KNOWN_ACCOUNTS = 10_000

/**
 * Lends connections: opened when needed, bounded per account and per server, one login attempt in a quarter of an hour for
 * a rejected secret, one breaker per server. Who may use what is decided in `server-pool.ts`, what goes back in `lease.ts`.
 */
export class Connections {
  readonly #env: PoolEnvironment
  readonly #servers = new Map<number, ServerPool>()
  readonly #pools: LRUCache<string, AccountPool>
  readonly #known = new LRUCache<string, Known>({ max: KNOWN_ACCOUNTS })
  #stopSweeping: (() => void) | undefined
  #closed = false

  constructor(options: ConnectionsOptions) {
    this.#env = {
      clock: options.clock ?? systemClock,
      limits: { ...defaultPoolLimits, ...options.limits },
      random: options.random ?? Math.random,
      log: options.log,
      tell: options.onEvent ?? (() => undefined),
      driverFor: (protocol) => options.driverFor(protocol),
      loggedIn: (pool, home) => {
        this.#known.set(pool.key, { kind: 'home', home })
        this.#sweepLater()
      },
      rejected: (pool, error) => this.#rejected(pool, error),
      newerLogin: (account) => options.newerLogin?.(account) ?? Promise.resolve(undefined),
    }
    this.#pools = new LRUCache({
      max: this.#env.limits.accounts,
      dispose: (pool) => {
        pool.retired = true
        pool.closeIdle()
        this.#sweepLater()
      },
    })
  }

  /**
   * Lends one connection of the account to `work`, and takes it back when the promise of `work` settles.
   * @throws what `work` throws; LOGIN_REJECTED, UNTRUSTED, UNREACHABLE, TIMED_OUT, PROTOCOL from connecting; UNAVAILABLE
   *   while the server's breaker is open; BUSY when no connection came free in time; ABORTED
   */
  async use<T>(
    account: Account,
    use: Use,
    work: (connection: Connection) => Promise<T>,
    options: UseOptions = {},
  ): Promise<T> {
    const { signal, repeatable = false } = options
    for (let first = true; ; first = false) {
      const asked = this.#env.clock.now()
      const { server, pooled } = await this.#take(account, use, signal)
      this.#lent(account, asked)
      const { reused } = pooled
      const lease = new Lease(pooled.connection)
      try {
        const result = await work(lease.connection)
        server.giveBack(pooled, lease.settle())
        return result
      } catch (error) {
        const since = this.#env.clock.now()
        server.giveBack(pooled, lease.settle(error))
        const stale = first && reused && !pooled.doomed && signal?.aborted !== true
        if (!stale || !isStorageError(error, 'CONNECTION_LOST')) throw error
        if (!(typeof repeatable === 'function' ? repeatable() : repeatable)) throw error
        // What was idle together with a dead connection is likely as dead.
        pooled.pool.closeIdle((idleSince) => idleSince < since)
      }
    }
  }

  /**
   * Where the login lands, absolute. Learned by the account's first connection and remembered; connects if nothing is known.
   * @throws as `use`
   */
  async home(account: Account, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<string> {
    const known = this.#known.get(poolKey(account))
    if (known?.kind === 'home') return known.home
    return this.use(account, 'metadata', (connection) => Promise.resolve(connection.home), options)
  }

  state(serverId: number): ServerState {
    return this.#servers.get(serverId)?.breaker.state ?? { state: 'unknown' }
  }

  /**
   * Closes idle connections of the account, and lent ones when they come back. Who waits is told UNAVAILABLE, or gets a new
   * connection where only the `secret` is another one now.
   */
  retire({ accountKey, secret = false }: { readonly accountKey: string; readonly secret?: boolean }): void {
    this.#retire(({ account }) => account.key === accountKey, false, secret ? undefined : changed())
  }

  /** A failed login may be tried at once: something changed on the server, or an admin wants to see. */
  forgive(accountKey: string): void {
    for (const [key, known] of this.#known.entries()) {
      if (known.kind === 'rejected' && key.startsWith(keyStart(accountKey))) this.#known.delete(key)
    }
    for (const pool of this.#pools.values()) if (pool.account.key === accountKey) pool.loginForgiven()
  }

  stats(): PoolStats {
    const servers = [...this.#servers].map(([serverId, server]) => ({
      serverId,
      state: server.breaker.state,
      ...server.gauges,
    }))
    const accounts = [...this.#pools.values()].map((pool) => ({
      accountKey: pool.account.key,
      serverId: pool.account.server.id,
      open: pool.connections.size,
      lent: lentIn(pool.connections),
      waiting: pool.waiting,
      limit: this.#serverOf(pool.account).accountLimit(pool),
    }))
    return { servers, accounts }
  }

  /** Ends everything at once, what is lent too; resolves when no connect is under way. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stopSweeping?.()
    this.#retire(() => true, true, closing())
    await Promise.all([...this.#servers.values()].map((server) => server.quiet()))
  }

  /** One connection that showed signs of life if it had been idle for long. */
  async #take(
    account: Account,
    use: Use,
    signal: AbortSignal | undefined,
  ): Promise<{ server: ServerPool; pooled: PooledConnection }> {
    for (;;) {
      if (this.#closed) throw closing()
      const known = this.#known.get(poolKey(account))
      if (known?.kind === 'rejected' && this.#env.clock.now() < known.until) throw known.error
      const server = this.#serverOf(account)
      server.adopt(account.server)
      const pooled = await server.acquire(this.#poolOf(account, server), use, signal)
      if (await this.#alive(pooled)) return { server, pooled }
      server.giveBack(pooled, 'closed')
      if (pooled.doomed) throw changed()
      pooled.pool.closeIdle((idleSince) => this.#env.clock.now() - idleSince >= this.#env.limits.checkAfter)
    }
  }

  #lent({ server, key }: Account, asked: number): void {
    const about = { serverId: server.id, alias: server.alias, accountKey: key }
    this.#env.tell({ kind: 'lent', ...about, waited: this.#env.clock.now() - asked })
  }

  async #alive({ connection, state, pool }: PooledConnection): Promise<boolean> {
    const { clock, limits } = this.#env
    if (state.kind !== 'lent' || state.idleBefore < limits.checkAfter) return true
    const cancel = clock.after(limits.checkDeadline, () => connection.close())
    try {
      await connection.ping()
      return connection.open
    } catch (error) {
      const reason = isStorageError(error) ? error.code : messageOf(error)
      this.#env.log?.info({ server: pool.account.server.alias, reason }, 'idle connection was dead')
      return false
    } finally {
      cancel()
    }
  }

  #rejected(pool: AccountPool, error: StorageError): void {
    const { clock, limits } = this.#env
    this.#known.set(pool.key, {
      kind: 'rejected',
      error: new StorageError('LOGIN_REJECTED', error.message),
      until: clock.now() + limits.rejected,
    })
    const { server, login } = pool.account
    this.#env.log?.warn(
      { server: server.alias, remoteUser: login.username },
      'login rejected; not tried again for a while',
    )
  }

  #retire(matches: (pool: AccountPool) => boolean, cut: boolean, reason: StorageError | undefined): void {
    for (const [key, pool] of [...this.#pools.entries()]) {
      if (!matches(pool)) continue
      if (reason) pool.connecting?.abort()
      this.#pools.delete(key)
    }
    for (const server of this.#servers.values()) server.retire(matches, cut, reason)
  }

  #serverOf(account: Account): ServerPool {
    const { id } = account.server
    let server = this.#servers.get(id)
    if (server === undefined) {
      server = new ServerPool(account.server, this.#env)
      this.#servers.set(id, server)
    }
    return server
  }

  #poolOf(account: Account, server: ServerPool): AccountPool {
    const key = poolKey(account)
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      pool = new AccountPool(key, account, server.breaker)
      this.#pools.set(key, pool)
    }
    return pool
  }

  #sweepLater(): void {
    if (this.#stopSweeping !== undefined || this.#closed) return
    const sweep = (): void => {
      this.#stopSweeping = undefined
      const inUse = new Set([...this.#pools.values()].map(({ account }) => account.server.id))
      let again = false
      for (const [id, server] of this.#servers) {
        server.sweep()
        // While an account has a pool, its server is kept: they share a breaker. Pools are bounded, and so are servers.
        if (!inUse.has(id) && server.spent) this.#servers.delete(id)
        else again ||= !inUse.has(id) || server.connections.size > 0
      }
      if (again) this.#sweepLater()
    }
    this.#stopSweeping = this.#env.clock.after(this.#env.limits.idle / 4, sweep, { background: true })
  }
}

function keyStart(accountKey: string): string {
  return accountKey + '\n'
}

/** Connections may be shared where the account and the version of its server are the same. */
function poolKey({ key, server }: Account): string {
  return keyStart(key) + server.version
}

function changed(): StorageError {
  return new StorageError('UNAVAILABLE', 'The login or its server was changed meanwhile.', { retryAfterSeconds: 1 })
}

function closing(): StorageError {
  return new StorageError('UNAVAILABLE', 'The gateway is shutting down.', { retryAfterSeconds: 5 })
}
