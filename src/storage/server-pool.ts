import { lentIn, PooledConnection, transfersIn, type AccountPool } from './account-pool.js'
import type { Account, ServerTarget, Use } from './account.js'
import { Breaker } from './breaker.js'
import type { Clock } from './clock.js'
import { connectFault, type ConnectFault } from './connect-fault.js'
import type { ConnectionListener } from './connection-events.js'
import type { Connection, Driver, Login, Protocol } from './driver.js'
import { isStorageError, StorageError } from './errors.js'
import { limitNow, type LearnedLimit, type PoolLimits } from './pool-limits.js'
import { WaitingLine } from './waiting-line.js'

/** Takes what pino takes. No field or message holds a secret. */
export interface PoolLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** What the pools of all servers share. */
export interface PoolEnvironment {
  readonly clock: Clock
  readonly limits: PoolLimits
  readonly random: () => number
  readonly log: PoolLog | undefined
  readonly tell: ConnectionListener
  driverFor(protocol: Protocol): Driver
  loggedIn(pool: AccountPool, home: string): void
  rejected(pool: AccountPool, error: StorageError): void
  /** Another login than the one that was just refused, for the same account; undefined: there is none. */
  newerLogin(account: Account): Promise<Login | undefined>
}

/**
 * The connections to one server, all accounts together: who waits, who gets what comes free, when one more is opened.
 * Every change ends in `dispatch`, which walks the line once in order.
 */
export class ServerPool {
  readonly connections = new Set<PooledConnection>()
  breaker: Breaker
  readonly #line: WaitingLine
  readonly #connects = new Set<Promise<void>>()
  #learned: LearnedLimit | undefined

  constructor(
    private target: ServerTarget,
    private readonly env: PoolEnvironment,
  ) {
    this.#line = new WaitingLine(env.clock, env.limits)
    this.breaker = this.#newBreaker()
  }

  /** Another version of the server is another peer: what was learned of the old one is void. */
  adopt(target: ServerTarget): void {
    if (target.version !== this.target.version) {
      this.breaker = this.#newBreaker()
      this.#learned = undefined
    }
    this.target = target
  }

  /** Open connections and those being opened. */
  get size(): number {
    return this.connections.size + this.#connects.size
  }

  /** Nothing would be lost with it but a state that is due to be asked anew. */
  get spent(): boolean {
    return this.size === 0 && this.#line.size === 0 && this.breaker.refusal() === undefined
  }

  get gauges(): { alias: string; open: number; lent: number; connecting: number; waiting: number; limit: number } {
    return {
      alias: this.target.alias,
      open: this.connections.size,
      lent: lentIn(this.connections),
      connecting: this.#connects.size,
      waiting: this.#line.size,
      limit: this.#limit,
    }
  }

  accountLimit(pool: AccountPool): number {
    return Math.min(this.#limit, pool.limit(this.target.limits.maxConnectionsPerAccount, this.env.clock.now()))
  }

  acquire(pool: AccountPool, use: Use, signal: AbortSignal | undefined): Promise<PooledConnection> {
    const idle = this.#line.size === 0 && signal?.aborted !== true ? this.#takeIdle(pool, use) : undefined
    if (idle !== undefined) return Promise.resolve(idle)
    const acquired = this.#line.join(pool, use, signal)
    this.dispatch()
    return acquired
  }

  giveBack(pooled: PooledConnection, verdict: 'back' | 'closed'): void {
    const now = this.env.clock.now()
    const old = now - pooled.born >= this.env.limits.lifetime
    pooled.reused = true
    if (verdict === 'closed' || pooled.doomed || pooled.pool.retired || old) pooled.close()
    else pooled.state = { kind: 'idle', since: now }
    this.dispatch()
  }

  /**
   * Ends the pools that `matches` names; `cut` also ends what is lent. Who waits for them is told to ask again; without a
   * `reason`, who waits goes on waiting for a new connection.
   */
  retire(matches: (pool: AccountPool) => boolean, cut: boolean, reason: StorageError | undefined): void {
    if (reason) this.#line.reject(({ pool }) => matches(pool), reason)
    for (const pooled of [...this.connections]) {
      if (!matches(pooled.pool)) continue
      pooled.doomed = true
      if (pooled.state.kind === 'idle') pooled.close()
      else if (cut) pooled.connection.close()
    }
    this.dispatch()
  }

  /** Closes what is idle for too long, too old, or ended by the server. */
  sweep(): void {
    const { idle, lifetime } = this.env.limits
    const now = this.env.clock.now()
    for (const pooled of [...this.connections]) {
      const { state, born, connection } = pooled
      if (state.kind !== 'idle') continue
      if (!connection.open || now - state.since >= idle || now - born >= lifetime) pooled.close()
    }
    this.dispatch()
  }

  /** Resolves when no connect is under way any more. */
  async quiet(): Promise<void> {
    await Promise.all(this.#connects)
  }

  dispatch(): void {
    if (this.#line.size === 0) return
    this.#closeDead()
    // Whom the walk found without a connection: those behind with the same wish need not be looked at.
    const dry = new Set<AccountPool>()
    const noTransfer = new Set<AccountPool>()
    let busy: AccountPool | undefined
    this.#line.offer(({ pool, use }) => {
      if (dry.has(pool) || (use === 'transfer' && noTransfer.has(pool))) return undefined
      if (use === 'transfer' && !this.#mayTransfer(pool)) {
        noTransfer.add(pool)
        return undefined
      }
      const idle = pool.takeIdle(use, this.env.clock.now())
      if (idle !== undefined) {
        if (use === 'transfer') busy = pool
        return idle
      }
      dry.add(pool)
      this.#grow(pool)
      return undefined
    })
    if (busy !== undefined) this.#growAhead(busy)
  }

  /** Where nobody waits: no need to stand in the line. */
  #takeIdle(pool: AccountPool, use: Use): PooledConnection | undefined {
    if (use === 'transfer' && !this.#mayTransfer(pool)) return undefined
    this.#closeDead()
    const idle = pool.takeIdle(use, this.env.clock.now())
    if (idle !== undefined && use === 'transfer') this.#growAhead(pool)
    return idle
  }

  /** What is idle and was ended by the server. */
  #closeDead(): void {
    for (const pooled of this.connections) {
      if (pooled.state.kind === 'idle' && !pooled.connection.open) pooled.close()
    }
  }

  get #limit(): number {
    return limitNow(this.target.limits.maxConnections, this.#learned, this.env.clock.now())
  }

  /** Transfers leave one connection of the account, and one of the server, to those who come and go. */
  #mayTransfer(pool: AccountPool): boolean {
    const allowed = (limit: number): number => Math.max(1, limit - 1)
    return (
      transfersIn(pool.connections) < allowed(this.accountLimit(pool)) &&
      transfersIn(this.connections) < allowed(this.#limit)
    )
  }

  /** Opens one more connection for `pool` where that is allowed now. */
  #grow(pool: AccountPool): void {
    if (pool.connecting !== undefined || pool.paused) return
    if (pool.connections.size >= this.accountLimit(pool)) return
    const refusal = pool.refusal(this.env.clock.now())
    if (refusal !== undefined) {
      if (pool.connections.size === 0) this.#line.reject((waiter) => waiter.pool === pool, refusal)
      return
    }
    if (this.#connects.size >= this.env.limits.connecting) return
    if (this.size >= this.#limit && !this.#makeRoom(pool)) return
    pool.connecting = new AbortController()
    pool.breaker.begin()
    const since = this.env.clock.now()
    const connect: Promise<void> = this.#connect(pool, pool.connecting.signal).then((outcome) => {
      pool.connecting = undefined
      this.#connects.delete(connect)
      if ('connection' in outcome) this.#connected(pool, outcome.connection)
      else this.#failed(pool, outcome)
      this.#tell(pool, this.env.clock.now() - since, outcome)
    })
    this.#connects.add(connect)
  }

  /**
   * A transfer took the last idle connection, and nobody waits: one more is opened for who comes meanwhile, as an FTP login
   * takes longer than most of what it is for. Nobody's connection is closed for it.
   */
  #growAhead(pool: AccountPool): void {
    if (this.target.endpoint.protocol === 'sftp' || pool.retired) return
    if (this.#line.size > 0 || this.size >= this.#limit) return
    if (lentIn(pool.connections) === pool.connections.size) this.#grow(pool)
  }

  /** Closes the connection of another account that is idle longest: a needy account may take it from a busy one. */
  #makeRoom(pool: AccountPool): boolean {
    let oldest: { pooled: PooledConnection; since: number } | undefined
    for (const pooled of this.connections) {
      if (pooled.state.kind !== 'idle' || pooled.pool === pool) continue
      if (pooled.pool.waiting > 0 && !pool.starving) continue
      if (oldest === undefined || pooled.state.since < oldest.since) oldest = { pooled, since: pooled.state.since }
    }
    oldest?.pooled.close()
    return oldest !== undefined
  }

  async #connect(pool: AccountPool, signal: AbortSignal): Promise<{ connection: Connection } | ConnectFault> {
    const { server, login } = pool.account
    try {
      if (login.password === undefined && login.privateKey === undefined) {
        throw new StorageError('LOGIN_REJECTED', 'No password or key is stored for this login.')
      }
      const driver = this.env.driverFor(server.endpoint.protocol)
      return { connection: await driver.connect(server.endpoint, login, { signal }) }
    } catch (error) {
      return (await this.#connectAnew(pool.account, error, signal)) ?? connectFault(error)
    }
  }

  /** A secret may be changed between the moment it was read and the login: then the new one is tried, once. */
  async #connectAnew(
    account: Account,
    refused: unknown,
    signal: AbortSignal,
  ): Promise<{ connection: Connection } | ConnectFault | undefined> {
    if (!isStorageError(refused, 'LOGIN_REJECTED')) return undefined
    const { server } = account
    try {
      const login = await this.env.newerLogin(account)
      if (login === undefined) return undefined
      return {
        connection: await this.env.driverFor(server.endpoint.protocol).connect(server.endpoint, login, { signal }),
      }
    } catch (error) {
      return connectFault(error)
    }
  }

  #connected(pool: AccountPool, connection: Connection): void {
    this.#isUp(pool)
    pool.loginWorked()
    this.env.loggedIn(pool, connection.home)
    // Enters itself into the sets of its pool and of this server.
    new PooledConnection(pool, connection, this.env.clock.now(), this.connections)
    this.dispatch()
    if (pool.retired) pool.closeIdle()
    this.#line.rejectOverdue(pool)
  }

  #failed(pool: AccountPool, { error, blames }: ConnectFault): void {
    switch (blames) {
      case 'secret':
        this.#isUp(pool)
        this.env.rejected(pool, error)
        this.retire((other) => other === pool, false, error)
        break
      case 'limit':
        this.#isUp(pool)
        this.#learnLimit(pool)
        this.#line.rejectOverdue(pool)
        break
      case 'server':
        if (pool.breaker.failed(error)) this.#log('warn', { reason: error.message }, 'server is down')
        // They would only repeat what just failed. Who has a connection out waits for that one.
        this.#line.reject(
          (waiter) =>
            waiter.pool.breaker === pool.breaker &&
            waiter.pool.connections.size === 0 &&
            waiter.pool.connecting === undefined,
          error,
        )
        this.#line.rejectOverdue(pool, error)
        break
      case 'login':
        this.#isUp(pool)
        // One that breaks off unanswered may be what broke all connections there a moment ago: a second one tells.
        if (pool.loginBrokeOff(error)) break
        pool.loginFailed(error, this.env.clock.now(), this.env.limits)
        this.#log('warn', { remoteUser: pool.account.login.username, reason: error.message }, 'login fails')
        this.#rejectAll(pool, error)
        break
      case 'account':
        pool.breaker.inconclusive()
        this.#rejectAll(pool, error)
        break
    }
    this.dispatch()
  }

  /** Who has a connection of the account to wait for goes on waiting, for as long as that was meant. */
  #rejectAll(pool: AccountPool, error: StorageError): void {
    if (pool.connections.size === 0) this.#line.reject((waiter) => waiter.pool === pool, error)
    this.#line.rejectOverdue(pool, error)
  }

  /** "Too many connections": what is open is what the server grants. The callers wait in line for it. */
  #learnLimit(pool: AccountPool): void {
    const { clock, limits } = this.env
    pool.paused = true
    const proceed = (): void => {
      pool.paused = false
      this.dispatch()
    }
    clock.after(limits.busyPause, proceed, { background: true })
    const until = clock.now() + limits.learned
    if (pool.connections.size > 0) pool.learn({ value: pool.connections.size, until })
    else if (this.connections.size > 0) this.#learned = { value: this.connections.size, until }
    const granted = { account: pool.connections.size, server: this.connections.size }
    this.#log('warn', { remoteUser: pool.account.login.username, ...granted }, 'server grants no more connections')
  }

  #tell(pool: AccountPool, took: number, outcome: { connection: Connection } | ConnectFault): void {
    const about = { serverId: this.target.id, alias: this.target.alias, accountKey: pool.account.key, took }
    if ('connection' in outcome) this.env.tell({ kind: 'connected', ...about })
    else this.env.tell({ kind: 'connect-failed', ...about, ...outcome, state: pool.breaker.state })
  }

  #isUp(pool: AccountPool): void {
    if (pool.breaker.succeeded()) this.#log('info', {}, 'server is back')
  }

  #log(level: keyof PoolLog, fields: object, message: string): void {
    this.env.log?.[level]({ server: this.target.alias, ...fields }, message)
  }

  #newBreaker(): Breaker {
    return new Breaker(this.env.clock, this.env.limits, this.env.random)
  }
}
