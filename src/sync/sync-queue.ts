import { Op, type Transaction } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { Database } from '../db/database.js'
import type { SyncRunRow } from '../db/models/sync-run.js'
import type { SyncStepRow } from '../db/models/sync-step.js'
import { UnknownObjectError } from '../errors.js'
import type { PlannedStep, ServerPlan, StepKind } from './plan.js'

/** `planned`: nobody said yes yet. `running`: some steps wait or are under way. */
export type RunState = 'planned' | 'running' | 'done' | 'failed' | 'aborted'
/** `plan`: asked for; `change`: wanted by a permission or user that changed; `repair`: found by a check. */
export type RunKind = 'plan' | 'change' | 'repair'
/** `waiting`: for somebody who says yes. */
export type StepState = 'waiting' | 'queued' | 'done' | 'failed' | 'aborted'

export interface Step extends PlannedStep {
  readonly id: number
  readonly runId: number
  readonly serverId: number
  readonly state: StepState
  readonly attempts: number
  readonly nextAttemptAt: Date | undefined
  /** Why it failed or waits; of one that is done: that there was nothing to do. */
  readonly reason: string | undefined
  readonly finishedAt: Date | undefined
}

export interface Run {
  readonly id: number
  readonly kind: RunKind
  readonly state: RunState
  readonly actor: Actor
  readonly plan: readonly ServerPlan[]
  readonly createdAt: Date
  readonly startedAt: Date | undefined
  readonly finishedAt: Date | undefined
}

export interface StepCounts {
  readonly waiting: number
  readonly queued: number
  readonly done: number
  readonly failed: number
  readonly aborted: number
}

/** Runs that are kept. */
const HISTORY = 500

/** What is to be done on the servers, and what was done: rows, no servers. */
export class SyncQueue {
  constructor(private readonly database: Database) {}

  /** @throws UnknownObjectError */
  async run(id: number, transaction?: Transaction): Promise<Run> {
    const row = await this.database.read(() =>
      this.database.models.SyncRun.findByPk(id, { transaction: transaction ?? null }),
    )
    if (!row) throw new UnknownObjectError('There is no such plan.')
    return runOf(row)
  }

  /** The newest first. */
  async runs(limit = 50): Promise<Run[]> {
    const { SyncRun } = this.database.models
    const rows = await this.database.read(() => SyncRun.findAll({ order: [['id', 'DESC']], limit }))
    return rows.map(runOf)
  }

  async steps(where: { runId?: number; serverId?: number; state?: StepState | StepState[] }): Promise<Step[]> {
    const rows = await this.database.read(() =>
      this.database.models.SyncStep.findAll({ where, order: [['id', 'ASC']], limit: 20_000 }),
    )
    return rows.map(stepOf)
  }

  async counts(runId: number, transaction?: Transaction): Promise<StepCounts> {
    const { SyncStep } = this.database.models
    const rows = (await this.database.read(() =>
      SyncStep.count({ where: { runId }, group: ['state'], transaction: transaction ?? null }),
    )) as unknown as { state: StepState; count: number }[]
    const counted = new Map(rows.map(({ state, count }) => [state, count]))
    const of = (state: StepState) => counted.get(state) ?? 0
    return {
      waiting: of('waiting'),
      queued: of('queued'),
      done: of('done'),
      failed: of('failed'),
      aborted: of('aborted'),
    }
  }

  /** A plan that nobody said yes to yet. */
  async remember(plan: readonly ServerPlan[], kind: RunKind, actor: Actor, transaction: Transaction): Promise<Run> {
    const { SyncRun } = this.database.models
    const fields = { kind, state: 'planned', actor: JSON.stringify(actor), plan: JSON.stringify(plan) }
    const row = await SyncRun.create(
      { ...fields, createdAt: new Date(), startedAt: null, finishedAt: null },
      { transaction },
    )
    const last = await SyncRun.findOne({ order: [['id', 'DESC']], offset: HISTORY, transaction })
    if (last) {
      const waiting = await this.database.models.SyncStep.findAll({
        where: { state: 'waiting', runId: { [Op.lte]: last.id } },
        ...{ attributes: ['runId'], group: ['runId'], transaction },
      })
      const open = waiting.map(({ runId }) => runId)
      const over = { id: { [Op.lte]: last.id, [Op.notIn]: open }, state: { [Op.ne]: 'running' } }
      await SyncRun.destroy({ where: over, transaction })
    }
    return runOf(row)
  }

  /**
   * The plan's steps are to be done from now on, in the place of equal ones that waited for a yes.
   * @param options.whole the plan is all that its accounts need: nothing of them goes on waiting
   */
  async start(run: Run, actor: Actor, transaction: Transaction, { whole }: { readonly whole: boolean }): Promise<void> {
    const { SyncRun, SyncStep } = this.database.models
    const now = new Date()
    for (const { serverId, steps } of run.plan) await this.#supersede(serverId, steps, transaction, whole)
    const rows = run.plan.flatMap(({ serverId, steps }) =>
      steps.map((step) => ({ ...rowOf(step, now), runId: run.id, serverId, state: 'queued' })),
    )
    await SyncStep.bulkCreate(rows, { transaction })
    const state = rows.length === 0 ? 'done' : 'running'
    const finishedAt = rows.length === 0 ? now : null
    await SyncRun.update(
      { state, actor: JSON.stringify(actor), startedAt: now, finishedAt },
      { where: { id: run.id }, transaction },
    )
  }

  /**
   * Steps that follow from one change in the gateway.
   * @param options.yes they are done without asking
   * @param options.whole what waited for the account before is of no use any more, whatever it is
   */
  async enqueue(
    serverId: number,
    alias: string,
    steps: readonly PlannedStep[],
    actor: Actor,
    transaction: Transaction,
    { yes, whole }: { readonly yes: boolean; readonly whole: boolean },
  ): Promise<void> {
    const { SyncStep } = this.database.models
    if (steps.length === 0) return
    // The newest decision about an account holds.
    await this.#supersede(serverId, steps, transaction, whole)
    const run = await this.remember([{ serverId, alias, steps, findings: [] }], 'change', actor, transaction)
    const now = new Date()
    const state = yes ? 'queued' : 'waiting'
    await SyncStep.bulkCreate(
      steps.map((step) => ({ ...rowOf(step, now), runId: run.id, serverId, state })),
      { transaction },
    )
    if (yes) {
      await this.database.models.SyncRun.update(
        { state: 'running', startedAt: now },
        { where: { id: run.id }, transaction },
      )
    }
  }

  /** Steps that wait for the server, in their order. */
  async queued(serverId: number): Promise<Step[]> {
    return this.steps({ serverId, state: 'queued' })
  }

  async serversWithWork(): Promise<number[]> {
    const { SyncStep } = this.database.models
    const rows = await this.database.read(() =>
      SyncStep.findAll({ where: { state: 'queued' }, attributes: ['serverId'], group: ['serverId'] }),
    )
    return rows.map(({ serverId }) => serverId)
  }

  async finishStep(
    step: Step,
    state: 'done' | 'failed' | 'aborted',
    reason: string | undefined,
    transaction: Transaction,
  ): Promise<void> {
    const { SyncStep } = this.database.models
    await SyncStep.update(
      { state, reason: reason ?? null, finishedAt: new Date(), nextAttemptAt: null },
      { where: { id: step.id }, transaction },
    )
    await this.#finishRun(step.runId, transaction)
  }

  /** Everything that waits for the server goes on waiting. */
  async postpone(serverId: number, reason: string, until: Date, transaction: Transaction): Promise<void> {
    const { SyncStep } = this.database.models
    const where = { serverId, state: 'queued' }
    await SyncStep.increment('attempts', { by: 1, where, transaction })
    await SyncStep.update({ reason, nextAttemptAt: until }, { where, transaction })
  }

  /** What has not begun is not begun. @returns how many steps that were */
  async abort(runId: number, transaction: Transaction): Promise<number> {
    const { SyncRun, SyncStep } = this.database.models
    const [steps] = await SyncStep.update(
      { state: 'aborted', finishedAt: new Date() },
      { where: { runId, state: ['queued', 'waiting'] }, transaction },
    )
    await SyncRun.update({ state: 'aborted', finishedAt: new Date() }, { where: { id: runId }, transaction })
    return steps
  }

  /** Whether the account waits for somebody who says yes to this step. */
  async waits(serverId: number, account: string, kind: StepKind, transaction: Transaction): Promise<boolean> {
    const where = { serverId, account, kind, state: 'waiting' }
    return (await this.database.models.SyncStep.count({ where, transaction })) > 0
  }

  async #supersede(
    serverId: number,
    steps: readonly PlannedStep[],
    transaction: Transaction,
    whole: boolean,
  ): Promise<void> {
    const { SyncStep } = this.database.models
    const byKind = new Map<StepKind | undefined, Set<string>>()
    for (const { account, kind } of steps) {
      const key = whole ? undefined : kind
      byKind.set(key, (byKind.get(key) ?? new Set()).add(account))
    }
    for (const [kind, accounts] of byKind) {
      const where = { serverId, account: [...accounts], state: 'waiting', ...(kind !== undefined && { kind }) }
      await SyncStep.destroy({ where, transaction })
    }
  }

  async #finishRun(runId: number, transaction: Transaction): Promise<void> {
    const { SyncRun, SyncStep } = this.database.models
    const open = await SyncStep.count({ where: { runId, state: ['queued', 'waiting'] }, transaction })
    if (open > 0) return
    const failed = await SyncStep.count({ where: { runId, state: 'failed' }, transaction })
    await SyncRun.update(
      { state: failed > 0 ? 'failed' : 'done', finishedAt: new Date() },
      { where: { id: runId, state: 'running' }, transaction },
    )
  }
}

/** A change that nobody said yes to, and for which nothing waits any more: a newer plan or change took its place. */
export function isReplaced({ kind, state }: Pick<Run, 'kind' | 'state'>, { waiting }: StepCounts): boolean {
  return kind === 'change' && state === 'planned' && waiting === 0
}

function rowOf({ account, kind, detail }: PlannedStep, createdAt: Date) {
  return { account, kind, detail, createdAt, nextAttemptAt: null, reason: null, finishedAt: null }
}

function stepOf(row: SyncStepRow): Step {
  return {
    id: row.id,
    runId: row.runId,
    serverId: row.serverId,
    account: row.account,
    kind: row.kind as StepKind,
    detail: row.detail ?? '',
    state: row.state as StepState,
    attempts: row.attempts,
    nextAttemptAt: row.nextAttemptAt ?? undefined,
    reason: row.reason ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
  }
}

function runOf(row: SyncRunRow): Run {
  return {
    id: row.id,
    kind: row.kind as RunKind,
    state: row.state as RunState,
    actor: JSON.parse(row.actor) as Actor,
    plan: row.plan === null ? [] : (JSON.parse(row.plan) as ServerPlan[]),
    createdAt: row.createdAt,
    startedAt: row.startedAt ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
  }
}
