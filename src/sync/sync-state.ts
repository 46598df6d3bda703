import type { Database } from '../db/database.js'
import type { ServerService } from '../servers/server-service.js'
import type { ManagedAccount, ManagedAccounts, WantedAccount } from './managed-accounts.js'
import type { Finding, PlannedStep, ServerPlan } from './plan.js'
import type { ProvisionerInfo, ProvisionerService } from './provisioner-service.js'
import type { StepState } from './sync-queue.js'

/** In step, or why not, as of the last look at the server and what happened in the gateway since. */
export type AccountState =
  'in-step' | 'different' | 'missing' | 'waiting' | 'under-way' | 'refused' | 'ended' | 'unknown'

export interface AccountStatus {
  readonly name: string
  readonly state: AccountState
  /** What is different, or why it is as it is. */
  readonly detail: string
  readonly wanted: WantedAccount | undefined
  readonly account: ManagedAccount | undefined
  /** Nobody gave it to the gateway; it may be adopted. */
  readonly adoptable: boolean
}

export interface ServerStatus {
  readonly serverId: number
  readonly alias: string
  readonly provisioner: ProvisionerInfo
  readonly readAt: Date | undefined
  /** Why the last look or change failed. */
  readonly problem: string | undefined
  readonly nextAttemptAt: Date | undefined
  /** Steps that are to be done. */
  readonly queued: number
  readonly accounts: readonly AccountStatus[]
}

/** How much there is to do on a server, as of the last look at it. */
export interface ServerBacklog {
  readonly alias: string
  readonly queued: number
  /** Accounts by why they are not in step. */
  readonly findings: Readonly<Record<'different' | Finding['kind'], number>>
}

/** How far accounts are in step, without asking a server. */
export class SyncState {
  constructor(
    private readonly parts: {
      readonly database: Database
      readonly servers: ServerService
      readonly provisioners: ProvisionerService
      readonly accounts: ManagedAccounts
    },
  ) {}

  /** Sorted by alias. */
  async servers(): Promise<ServerStatus[]> {
    const { servers, provisioners } = this.parts
    const known = new Map((await provisioners.list()).map((info) => [info.serverId, info]))
    const managed = (await servers.list()).flatMap((server) => {
      const provisioner = known.get(server.id)
      return provisioner ? [{ id: server.id, alias: server.alias, provisioner }] : []
    })
    return Promise.all(managed.map((server) => this.#statusOf(server)))
  }

  /** In three questions, however many accounts there are. Sorted by alias. */
  async backlog(): Promise<ServerBacklog[]> {
    const { database } = this.parts
    const { Provisioner, Server, SyncStep } = database.models
    const [rows, servers, steps] = await database.read(() =>
      Promise.all([
        Provisioner.findAll({ attributes: ['serverId', 'findings'] }),
        Server.findAll({ attributes: ['id', 'alias'], order: [['alias', 'ASC']] }),
        SyncStep.findAll({ where: { state: 'queued' }, attributes: ['serverId'] }),
      ]),
    )
    const seen = new Map(rows.map((row) => [row.serverId, row.findings]))
    return servers.flatMap(({ id, alias }) => {
      const text = seen.get(id)
      if (text === undefined) return []
      const plan = text === null ? { steps: [], findings: [] } : (JSON.parse(text) as ServerPlan)
      const of = (kind: Finding['kind']) => plan.findings.filter((finding) => finding.kind === kind).length
      const different = new Set(plan.steps.map(({ account }) => account)).size
      return {
        alias,
        queued: steps.filter(({ serverId }) => serverId === id).length,
        findings: { different, adopt: of('adopt'), refused: of('refused'), unknown: of('unknown') },
      }
    })
  }

  async #statusOf(server: { id: number; alias: string; provisioner: ProvisionerInfo }): Promise<ServerStatus> {
    const { database, accounts } = this.parts
    const { Provisioner, SyncStep } = database.models
    const row = await database.read(() => Provisioner.findByPk(server.id))
    const open = await database.read(() =>
      SyncStep.findAll({ where: { serverId: server.id, state: ['queued', 'waiting'] } }),
    )
    const seen = row?.findings == null ? undefined : (JSON.parse(row.findings) as ServerPlan)
    const wanted = await accounts.wanted(server.id)
    const known = await accounts.known(server.id)
    const steps = new Map(open.map((step) => [step.account, step.state as StepState]))
    const names = [
      ...new Set([
        ...wanted.map(({ name }) => name),
        ...known.map(({ name }) => name),
        ...(seen?.findings.map(({ account }) => account) ?? []),
      ]),
    ].sort()
    return {
      serverId: server.id,
      alias: server.alias,
      provisioner: server.provisioner,
      readAt: row?.readAt ?? undefined,
      problem: row?.problem ?? undefined,
      nextAttemptAt: row?.nextAttemptAt ?? undefined,
      queued: open.filter(({ state }) => state === 'queued').length,
      accounts: names.map((name) =>
        accountStatus(name, {
          wanted: wanted.find((account) => account.name === name),
          account: known.find((account) => account.name === name),
          open: steps.get(name),
          steps: seen?.steps.filter(({ account }) => account === name) ?? [],
          finding: seen?.findings.find(({ account }) => account === name),
        }),
      ),
    }
  }
}

function accountStatus(
  name: string,
  found: {
    readonly wanted: WantedAccount | undefined
    readonly account: ManagedAccount | undefined
    readonly open: StepState | undefined
    readonly steps: readonly PlannedStep[]
    readonly finding: Finding | undefined
  },
): AccountStatus {
  const { wanted, account, open, steps, finding } = found
  const status = (state: AccountState, detail: string): AccountStatus => {
    return { name, state, detail, wanted, account, adoptable: finding?.kind === 'adopt' && account === undefined }
  }
  if (open === 'queued') return status('under-way', 'steps wait for the server')
  if (finding?.kind === 'adopt' && !account) return status('refused', finding.detail)
  if (finding?.kind === 'refused') return status('refused', finding.detail)
  const [first] = steps
  if (first)
    return status(first.kind === 'create' ? 'missing' : 'different', steps.map(({ detail }) => detail).join('; '))
  if (open === 'waiting') return status('waiting', 'changed in the gateway: make a plan and apply it')
  if (wanted && (account || !wanted.enabled)) return status('in-step', wanted.enabled ? '' : 'may not be used now')
  if (wanted) return status('missing', 'not made yet')
  if (account)
    return status('ended', account.archivedHome ? `archived in ${account.archivedHome}` : 'disabled, files kept')
  return status('unknown', finding?.detail ?? '')
}
