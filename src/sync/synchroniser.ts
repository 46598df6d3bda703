import { EventEmitter, once } from 'node:events'
import type { Actor } from '../audit/actor.js'
import { ConflictError, messageOf } from '../errors.js'
import { Claims } from './claims.js'
import { LoginCheck } from './login-check.js'
import { OldSecrets } from './old-secrets.js'
import { removalsIn, SECRET_DUE, type ServerPlan } from './plan.js'
import { isProvisionError } from './provision-error.js'
import { ServerSync, wordsOf, type ServerSyncParts } from './server-sync.js'
import { isReplaced, type Run, type RunKind } from './sync-queue.js'

export interface SynchroniserOptions extends ServerSyncParts {
  /** Removals and disables in one plan that need no second yes. */
  readonly maxRemovals?: number
  /** Milliseconds until a server that did not answer is tried again; doubles up to `maxPause`. */
  readonly pause?: number
  readonly maxPause?: number
}

/** Milliseconds between two looks at what is due; work that comes in is begun at once. */
const LOOK = 15_000
/** Servers at once. */
const PARALLEL = 8
const SYSTEM: Actor = { kind: 'system', part: 'sync' }

interface Events {
  idle: []
}

/** Keeps accounts in step: plans, applies, repeats what a dead server missed, checks by itself. */
export class Synchroniser {
  readonly #options: SynchroniserOptions
  readonly #server: ServerSync
  readonly #claims: Claims
  readonly #logins: LoginCheck
  readonly #oldSecrets: OldSecrets
  readonly #stop = new AbortController()
  readonly #working = new Map<number, Promise<void>>()
  readonly #events = new EventEmitter<Events>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #lookAgain = false
  #started = false

  constructor(options: SynchroniserOptions) {
    this.#options = options
    this.#server = new ServerSync(options)
    this.#claims = new Claims(options.database)
    this.#logins = new LoginCheck(options)
    this.#oldSecrets = new OldSecrets(options)
  }

  /** Removals in one plan that need no second yes. */
  get maxRemovals(): number {
    return this.#options.maxRemovals ?? 5
  }

  /** Works through what is queued from now on, and checks when it is time. */
  start(): void {
    this.#started = true
    this.kick()
  }

  /** Ends the steps under way as soon as they can be; the queue stays. */
  async stop(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    await this.#looking
    await Promise.allSettled(this.#working.values())
  }

  /**
   * Reads servers and says what there is to do; nothing is changed.
   * @param serverIds default: all whose accounts are managed
   * @param options.logins each account's secret is tried, once
   * @throws UnknownObjectError
   */
  async plan(
    serverIds: readonly number[] | undefined,
    actor: Actor,
    { logins = false, kind = 'plan', signal = this.#stop.signal }: PlanOptions = {},
  ): Promise<Run> {
    const { provisioners, queue, database } = this.#options
    const ids = serverIds ?? (await provisioners.list()).map(({ serverId }) => serverId)
    const plans = await mapLimited(ids, PARALLEL, async (id) => {
      const plan = await this.#server.read(id, signal)
      if (!logins || plan.problem !== undefined) return plan
      // What is missing or disabled cannot be let in, whatever its secret.
      const different = new Set(plan.steps.map(({ account }) => account))
      const rejected = await this.#logins.check(id, different, actor, signal)
      return rejected === 0 ? plan : this.#server.read(id, signal)
    })
    plans.sort((a, b) => a.alias.localeCompare(b.alias))
    return database.transaction((transaction) => queue.remember(plans, kind, actor, transaction))
  }

  /**
   * The plan's steps are done from now on, server by server; `wait` tells when.
   * @throws UnknownObjectError, ConflictError (not waiting for a yes, a change in whose place a newer one came, or more removals
   *   than go without `confirm`)
   */
  async apply(runId: number, actor: Actor, { confirm = false } = {}): Promise<Run> {
    const { queue, database, audit } = this.#options
    const { maxRemovals } = this
    const run = await database.transaction(async (transaction) => {
      const run = await queue.run(runId, transaction)
      if (run.state !== 'planned') throw new ConflictError('This plan was applied or given up already.')
      if (isReplaced(run, await queue.counts(runId, transaction))) {
        throw new ConflictError('A newer plan or change took the place of this change: make a plan.')
      }
      const removals = removalsIn(run.plan)
      if (removals > maxRemovals && !confirm) {
        throw new ConflictError(
          `The plan disables or removes ${removals} accounts, more than ${maxRemovals}: say that this is meant.`,
        )
      }
      // A change knows of itself only; a plan was read from the servers.
      await queue.start(run, actor, transaction, { whole: run.kind !== 'change' })
      const object = { id: run.id, name: `plan ${run.id}` }
      const steps = run.plan.reduce((sum, plan) => sum + plan.steps.length, 0)
      await audit.record({ type: 'sync.applied', object, details: { steps } }, actor, transaction)
      const serverIds = run.plan.map(({ serverId }) => serverId)
      // An admin who says yes does not want to wait for the end of a pause.
      await database.models.Provisioner.update({ nextAttemptAt: null }, { where: { serverId: serverIds }, transaction })
      return queue.run(runId, transaction)
    })
    this.kick()
    return run
  }

  /** What has not begun is left. @throws UnknownObjectError, ConflictError */
  async abort(runId: number, actor: Actor): Promise<Run> {
    const { queue, database, audit } = this.#options
    return database.transaction(async (transaction) => {
      const run = await queue.run(runId, transaction)
      if (run.state !== 'running' && run.state !== 'planned') throw new ConflictError('This plan has ended already.')
      const steps = await queue.abort(runId, transaction)
      const object = { id: run.id, name: `plan ${run.id}` }
      await audit.record({ type: 'sync.aborted', object, details: { steps } }, actor, transaction)
      return queue.run(runId, transaction)
    })
  }

  /** @throws ProvisionError when the server cannot be read, UnknownObjectError */
  observe(serverId: number, name: string): ReturnType<ServerSync['observe']> {
    return this.#server.observe(serverId, name, this.#stop.signal)
  }

  /** Resolves when nothing is under way here; what waits for a dead server is not waited for. */
  async idle(): Promise<void> {
    this.kick()
    while (this.#looking !== undefined || this.#working.size > 0) await once(this.#events, 'idle')
  }

  /**
   * Reads a server and, where that was said, mends what it finds.
   * @throws UnknownObjectError
   */
  async check(serverId: number, actor: Actor = SYSTEM, { logins = true } = {}): Promise<Run> {
    const { provisioners, database, queue } = this.#options
    const run = await this.plan([serverId], actor, { logins, kind: 'repair' })
    const info = await provisioners.find(serverId)
    const wanted = run.plan.map((plan) => (info?.automatic ? plan : withoutAsking(plan, info?.rotateEvery)))
    const steps = wanted.flatMap(({ steps }) => steps)
    if (steps.length === 0 || removalsIn(wanted) > this.maxRemovals) return run
    const started = await database.transaction(async (transaction) => {
      const repair = await queue.remember(wanted, 'repair', actor, transaction)
      await queue.start(repair, actor, transaction, { whole: info?.automatic === true })
      return queue.run(repair.id, transaction)
    })
    this.kick()
    return started
  }

  /** Something was queued. */
  kick(): void {
    if (this.#stop.signal.aborted) return
    if (this.#looking) {
      this.#lookAgain = true
      return
    }
    this.#looking = this.#look()
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'what is queued cannot be read'))
      .finally(() => {
        this.#looking = undefined
        if (this.#lookAgain) {
          this.#lookAgain = false
          this.kick()
        }
        this.#tellIdle()
        this.#lookLater()
      })
  }

  async #look(): Promise<void> {
    const { database, queue } = this.#options
    if (this.#started) await this.#oldSecrets.enqueueDue(SYSTEM)
    const rows = await database.read(() => database.models.Provisioner.findAll())
    const withWork = new Set(await queue.serversWithWork())
    const now = Date.now()
    for (const row of rows) {
      if (this.#working.size >= PARALLEL) return
      if (this.#working.has(row.serverId)) continue
      const rests = (row.nextAttemptAt?.getTime() ?? 0) > now
      const last = row.readAt?.getTime() ?? 0
      const checkDue = this.#started && row.checkEvery !== null && last + row.checkEvery * 60_000 <= now
      if (rests || !(withWork.has(row.serverId) || checkDue)) continue
      const work = withWork.has(row.serverId)
        ? this.#work(row.serverId, row.attempts)
        : this.#checkBySchedule(row.serverId)
      const ended = work
        .catch((error: unknown) => this.#options.log.error({ err: error, serverId: row.serverId }, 'sync failed'))
        .finally(() => {
          this.#working.delete(row.serverId)
          this.kick()
        })
      this.#working.set(row.serverId, ended)
    }
  }

  async #checkBySchedule(serverId: number): Promise<void> {
    await this.check(serverId)
  }

  async #work(serverId: number, attempts: number): Promise<void> {
    const owner = await this.#claims.take(serverId)
    if (owner === undefined) {
      // Looked at again when the other one should be done.
      await this.#sleepUntilFree(serverId)
      return
    }
    try {
      const alive = async () => (await this.#claims.take(serverId)) !== undefined
      await this.#server.work(serverId, owner, this.#stop.signal, alive)
      await this.#setPause(serverId, { attempts: 0, nextAttemptAt: null })
    } catch (error) {
      if (this.#stop.signal.aborted) return
      await this.#postpone(serverId, attempts, error)
    } finally {
      await this.#claims.release(serverId)
    }
  }

  async #postpone(serverId: number, attempts: number, error: unknown): Promise<void> {
    const { database, queue, log, pause = 5000, maxPause = 900_000 } = this.#options
    // A refused admin login may get the gateway banned: it is not tried every few seconds.
    const least = isProvisionError(error, 'LOGIN_REJECTED', 'UNTRUSTED') ? maxPause : pause
    const until = new Date(Date.now() + Math.min(maxPause, least * 2 ** Math.min(attempts, 20)))
    const problem = wordsOf(error)
    log.warn({ serverId, reason: problem, until }, 'accounts of a server wait for it')
    await database.transaction(async (transaction) => {
      await queue.postpone(serverId, problem, until, transaction)
      const state = { problem, attempts: attempts + 1, nextAttemptAt: until }
      await database.models.Provisioner.update(state, { where: { serverId }, transaction })
    })
  }

  async #setPause(serverId: number, state: { attempts: number; nextAttemptAt: Date | null }): Promise<void> {
    const { database } = this.#options
    await database.transaction((transaction) =>
      database.models.Provisioner.update(state, { where: { serverId }, transaction }),
    )
  }

  /** Not busily, and not for long: the other process may end any time. */
  async #sleepUntilFree(serverId: number): Promise<void> {
    await this.#setPause(serverId, { attempts: 0, nextAttemptAt: new Date(Date.now() + 1000) })
  }

  #lookLater(): void {
    clearTimeout(this.#timer)
    if (this.#stop.signal.aborted) return
    void this.#nextLook().then((delay) => {
      if (this.#stop.signal.aborted) return
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.kick(), delay)
      this.#timer.unref()
    })
  }

  async #nextLook(): Promise<number> {
    try {
      const { database } = this.#options
      const rows = await database.read(() => database.models.Provisioner.findAll({ attributes: ['nextAttemptAt'] }))
      const next = [...rows.map(({ nextAttemptAt }) => nextAttemptAt), await this.#oldSecrets.next()]
      const due = next.flatMap((moment) => (moment ? [moment.getTime() - Date.now()] : []))
      return Math.max(50, Math.min(LOOK, ...due.filter((delay) => delay > 0)))
    } catch (error) {
      this.#options.log.error({ reason: messageOf(error) }, 'what is due cannot be read; it is tried again')
      return LOOK
    }
  }

  #tellIdle(): void {
    if (this.#looking === undefined && this.#working.size === 0) this.#events.emit('idle')
  }
}

interface PlanOptions {
  readonly logins?: boolean
  readonly kind?: RunKind
  readonly signal?: AbortSignal
}

/** What needs no yes of anybody: that nobody logs in who may not, and what the schedule of secrets says. */
function withoutAsking(plan: ServerPlan, rotateEvery: number | undefined): ServerPlan {
  const steps = plan.steps.filter(
    ({ kind, detail }) =>
      kind === 'disable' || (kind === 'set-secret' && rotateEvery !== undefined && detail === SECRET_DUE),
  )
  return { ...plan, steps }
}

async function mapLimited<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const queue = [...items.entries()]
  const runners = Array.from({ length: Math.min(limit, items.length) }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1])
  })
  await Promise.all(runners)
  return results
}
