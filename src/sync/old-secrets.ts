import { Op } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { Database } from '../db/database.js'
import type { ManagedAccountRow } from '../db/models/managed-account.js'
import { OLD_SECRET_OVER, type PlannedStep } from './plan.js'
import type { SyncQueue } from './sync-queue.js'

/** Milliseconds until a step that failed is tried again. */
const AGAIN = 3_600_000
/** Accounts at a time. */
const MOST = 500

/** Secrets of before that a server still takes: a step ends each when its time is over. */
export class OldSecrets {
  constructor(
    private readonly parts: { readonly database: Database; readonly queue: SyncQueue },
    private readonly now: () => number = Date.now,
  ) {}

  async enqueueDue(actor: Actor): Promise<void> {
    const { database, queue } = this.parts
    const { ManagedAccount, SyncStep, Server } = database.models
    const due = { where: { oldSecretUntil: { [Op.lte]: new Date(this.now()) }, state: 'enabled' }, limit: MOST }
    if ((await database.read(() => ManagedAccount.findOne(due))) === null) return
    await database.transaction(async (transaction) => {
      const rows = await ManagedAccount.findAll({ ...due, order: [['name', 'ASC']], transaction })
      const account = rows.map(({ name }) => name)
      const lately = { [Op.or]: [{ state: 'queued' }, { createdAt: { [Op.gt]: new Date(this.now() - AGAIN) } }] }
      const steps = await SyncStep.findAll({ where: { kind: 'end-old-secret', account, ...lately }, transaction })
      const tried = (row: ManagedAccountRow) => {
        const own = steps.filter((step) => step.serverId === row.serverId && step.account === row.name)
        // One before belongs to a secret before.
        return own.some(({ state, createdAt }) => state === 'queued' || createdAt >= (row.oldSecretUntil ?? createdAt))
      }
      const fresh = rows.filter((row) => !tried(row))
      const serverIds = [...new Set(fresh.map(({ serverId }) => serverId))]
      const servers = await Server.findAll({ where: { id: serverIds }, transaction })
      const plans = servers.map(({ id, alias }) => ({
        ...{ serverId: id, alias, findings: [] },
        steps: fresh.filter(({ serverId }) => serverId === id).map(({ name }) => stepOf(name)),
      }))
      if (plans.length === 0) return
      const run = await queue.remember(plans, 'repair', actor, transaction)
      await queue.start(run, actor, transaction, { whole: false })
    })
  }

  /** When the next one is over. */
  async next(): Promise<Date | undefined> {
    const { database } = this.parts
    const where = { oldSecretUntil: { [Op.gt]: new Date(this.now()) } }
    const order: [string, string][] = [['oldSecretUntil', 'ASC']]
    const row = await database.read(() => database.models.ManagedAccount.findOne({ where, order }))
    return row?.oldSecretUntil ?? undefined
  }
}

function stepOf(account: string): PlannedStep {
  return { account, kind: 'end-old-secret', detail: OLD_SECRET_OVER }
}
