import type { Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import { messageOf } from '../errors.js'
import type { Logger } from '../logger.js'
import type { PermissionService } from '../permissions/permission-service.js'
import { endpointOf } from '../servers/server-row.js'
import type { Server } from '../servers/server.js'
import type { ServerService } from '../servers/server-service.js'
import type { Drivers } from '../storage/drivers.js'
import { AccountSteps, type StepListener, type StepPlace } from './account-steps.js'
import type { PendingSecrets } from './account-secrets.js'
import type { ManagedAccounts } from './managed-accounts.js'
import type { openProvisioner } from './open-provisioner.js'
import type { PlannedStep, ServerPlan, StepKind } from './plan.js'
import { planAccounts, rulesOf } from './planner.js'
import { ProvisionError, type ProvisionErrorCode } from './provision-error.js'
import type { ProvisionerService } from './provisioner-service.js'
import type { ObservedAccount, Provisioner } from './provisioner.js'
import type { Step, SyncQueue } from './sync-queue.js'

export interface ServerSyncParts {
  readonly database: Database
  readonly audit: AuditLog
  readonly servers: ServerService
  readonly permissions: PermissionService
  readonly provisioners: ProvisionerService
  readonly accounts: ManagedAccounts
  readonly queue: SyncQueue
  readonly pending: PendingSecrets
  readonly drivers: Drivers
  readonly open: typeof openProvisioner
  readonly commandsFolder?: string | undefined
  readonly onStep?: StepListener | undefined
  /** As in `StepsParts`. */
  readonly oldSecretGrace?: number | undefined
  readonly log: Logger
}

/** What must be done before what, on one account. */
const WAITS_FOR: Partial<Record<StepKind, readonly StepKind[]>> = {
  'make-home': ['create', 'fix-home'],
  'set-secret': ['create'],
  'end-old-secret': ['set-secret'],
  enable: ['create'],
  'archive-home': ['disable'],
  remove: ['disable', 'archive-home'],
}

/** Errors after which nothing else on that server needs to be tried. */
const WHOLE_SERVER: readonly ProvisionErrorCode[] = [
  'UNREACHABLE',
  'TIMED_OUT',
  'UNTRUSTED',
  'LOGIN_REJECTED',
  'ABORTED',
]

/** Reads one server, and does there what is queued for it. */
export class ServerSync {
  readonly #steps: AccountSteps

  constructor(private readonly parts: ServerSyncParts) {
    this.#steps = new AccountSteps(parts)
  }

  /**
   * What there is to do on a server, read from it just now and remembered as its state.
   * @returns with `problem` when it cannot be read
   */
  async read(serverId: number, signal: AbortSignal): Promise<ServerPlan> {
    const server = await this.parts.servers.get(serverId)
    try {
      return await this.#with(server, signal, async (provisioner) => {
        const observed = await provisioner.read({ signal })
        return this.#remember(server, provisioner, observed)
      })
    } catch (error) {
      if (signal.aborted) throw error
      const problem = wordsOf(error)
      await this.#setState(serverId, { problem, readAt: new Date() })
      return { serverId, alias: server.alias, steps: [], findings: [], problem }
    }
  }

  /**
   * Does the queued steps in their order, each only if what is there now still asks for it.
   * @param owner of the claim on the server, see `Claims`
   * @param alive is asked between steps; false: somebody else works here
   * @throws ProvisionError when the server has to be left alone for now: what is queued stays
   */
  async work(serverId: number, owner: string, signal: AbortSignal, alive: () => Promise<boolean>): Promise<void> {
    const server = await this.parts.servers.get(serverId)
    const inWork = async (provisioner: Provisioner, place: StepPlace) => {
      const there = new Map((await provisioner.read({ signal })).map((account) => [account.name, account]))
      for (let queued = await this.parts.queue.queued(serverId); queued.length > 0;) {
        for (const step of queued) {
          if (signal.aborted || !(await alive())) return
          await this.#step(step, there, place)
        }
        queued = await this.parts.queue.queued(serverId)
      }
      await this.#remember(server, provisioner, await provisioner.read({ signal }))
    }
    await this.#with(server, signal, inWork, owner)
  }

  /** One account as it is there, and whether it can be one of ours. @throws ProvisionError */
  async observe(
    serverId: number,
    name: string,
    signal: AbortSignal,
  ): Promise<{ there: ObservedAccount | undefined; problem: string | undefined }> {
    const server = await this.parts.servers.get(serverId)
    return this.#with(server, signal, async (provisioner) => {
      const there = (await provisioner.read({ signal })).find((account) => account.name === name)
      return { there, problem: provisioner.nameProblem(name) ?? there?.reserved }
    })
  }

  async #step(step: Step, there: Map<string, ObservedAccount>, place: StepPlace): Promise<void> {
    const { queue, accounts, database } = this.parts
    const { actor, state } = await queue.run(step.runId)
    if (state === 'aborted') return
    const name = step.account
    const found = there.get(name)
    const desired = await accounts.wanted(place.serverId, name)
    const known = await accounts.known(place.serverId, name)
    const input = { desired, known, observed: found ? [found] : [], rules: rulesOf(place.provisioner) }
    const { steps, findings } = planAccounts(input)
    // Where nobody can tell whether a home is there, making it once more does no harm.
    const unsure = step.kind === 'make-home' && found?.homeReady === undefined && desired[0]?.enabled === true
    const verdict: Verdict =
      unsure && found && findings.length === 0 && steps.length === 0
        ? { kind: 'go' }
        : judge(step, steps, findings[0]?.detail)
    if (verdict.kind === 'nothing') {
      await database.transaction((transaction) =>
        queue.finishStep(step, 'done', 'there was nothing to do', transaction),
      )
      this.parts.onStep?.({ kind: step.kind, outcome: 'unneeded' })
      return
    }
    if (verdict.kind === 'refused') return this.#steps.fail(step, verdict.reason, place, actor)
    await this.#do(step, { name, wanted: desired[0], there: found }, there, place, actor)
  }

  async #do(
    step: Step,
    account: Parameters<AccountSteps['do']>[1],
    there: Map<string, ObservedAccount>,
    place: StepPlace,
    actor: Actor,
  ): Promise<void> {
    try {
      const after = await this.#steps.do(step, account, place, actor)
      if (after) there.set(account.name, after)
      else there.delete(account.name)
    } catch (error) {
      if (!(error instanceof ProvisionError) || WHOLE_SERVER.includes(error.code)) throw error
      this.parts.log.warn(
        { server: place.alias, account: account.name, step: step.kind, code: error.code },
        'step refused',
      )
      await this.#steps.fail(step, error.message, place, actor)
    }
  }

  async #remember(server: Server, provisioner: Provisioner, observed: readonly ObservedAccount[]): Promise<ServerPlan> {
    const { accounts, database } = this.parts
    const desired = await accounts.wanted(server.id)
    const known = await accounts.known(server.id)
    const plan = planAccounts({ desired, observed, known, rules: rulesOf(provisioner) })
    const result: ServerPlan = { serverId: server.id, alias: server.alias, ...plan }
    const now = new Date()
    await this.#setState(server.id, { findings: JSON.stringify(result), readAt: now, problem: null })
    const names = new Set(observed.map(({ name }) => name))
    const seen = known.filter(({ name }) => names.has(name)).map(({ id }) => id)
    const wanted = new Set(desired.map(({ name }) => name))
    // Nobody wants them and they are gone: there is nothing to remember.
    const over = known.filter(({ name }) => !names.has(name) && !wanted.has(name)).map(({ id }) => id)
    const { ManagedAccount } = database.models
    await database.transaction(async (transaction) => {
      await ManagedAccount.update({ lastSeenAt: now }, { where: { id: seen }, transaction, silent: true })
      await ManagedAccount.destroy({ where: { id: over }, transaction })
    })
    return result
  }

  async #setState(serverId: number, state: { problem: string | null; readAt: Date; findings?: string }): Promise<void> {
    const { database } = this.parts
    await database.transaction((transaction) =>
      database.models.Provisioner.update(state, { where: { serverId }, transaction }),
    )
  }

  async #with<T>(
    server: Server,
    signal: AbortSignal,
    work: (provisioner: Provisioner, place: StepPlace) => Promise<T>,
    owner?: string,
  ): Promise<T> {
    const { servers, provisioners, drivers, open, commandsFolder } = this.parts
    const info = await provisioners.find(server.id)
    if (!info) throw new ProvisionError('UNSUPPORTED', `The accounts of ${server.alias} are not managed.`)
    const endpoint = endpointOf(server)
    const provisioner = await open({
      ...{ drivers, signal, commandsFolder, owner },
      server: { endpoint, admin: await servers.adminLogin(server.id) },
      settings: info.settings,
      secret: await provisioners.secrets(server.id),
    })
    try {
      return await work(provisioner, {
        ...{ provisioner, signal, serverId: server.id, alias: server.alias },
        // The server may have become an FTP server since that was chosen.
        secretKind: server.protocol === 'sftp' ? info.secretKind : 'password',
        tryLogin: async (login, stop) => {
          const connection = await drivers.driverFor(server.protocol).connect(endpoint, login, { signal: stop })
          connection.close()
        },
      })
    } finally {
      await provisioner.close()
    }
  }
}

type Verdict = { readonly kind: 'go' | 'nothing' } | { readonly kind: 'refused'; readonly reason: string }

/** Whether a step that somebody said yes to is still to be done. */
function judge(step: Step, plan: readonly PlannedStep[], finding: string | undefined): Verdict {
  const kinds = plan.map(({ kind }) => kind)
  if (!kinds.includes(step.kind)) {
    const foreign = finding !== undefined && step.kind !== 'disable'
    return foreign ? { kind: 'refused', reason: `The account ${finding}.` } : { kind: 'nothing' }
  }
  const missing = WAITS_FOR[step.kind]?.find((kind) => kinds.includes(kind))
  if (missing !== undefined) return { kind: 'refused', reason: `An earlier step is not done: ${missing}.` }
  return { kind: 'go' }
}

/** For the admin; holds no secret. */
export function wordsOf(error: unknown): string {
  return error instanceof ProvisionError ? error.message : `Something unexpected: ${messageOf(error)}`
}
