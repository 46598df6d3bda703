import type { Transaction } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { AccountVerb } from '../audit/audit-event.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { ManagedAccountRow } from '../db/models/managed-account.js'
import type { Credentials } from '../permissions/permission-input.js'
import type { PermissionService } from '../permissions/permission-service.js'
import type { Login } from '../storage/driver.js'
import { isStorageError } from '../storage/errors.js'
import { newCredentials, secretFor, type PendingSecrets, type SecretKind } from './account-secrets.js'
import { markOf, NEW_ACCOUNT, type WantedAccount } from './managed-accounts.js'
import type { StepKind } from './plan.js'
import { rulesOf, wantedHome } from './planner.js'
import { fromStorage, isProvisionError, ProvisionError } from './provision-error.js'
import type { AccountSecret, ObservedAccount, Provisioner } from './provisioner.js'
import type { Step, SyncQueue } from './sync-queue.js'

export interface StepsParts {
  readonly database: Database
  readonly audit: AuditLog
  readonly permissions: PermissionService
  readonly queue: SyncQueue
  readonly pending: PendingSecrets
  readonly onStep?: StepListener | undefined
  /** Milliseconds that a server goes on taking the secret of before, where it can take two. */
  readonly oldSecretGrace?: number | undefined
}

/** Told what became of each step, after it was written down. `unneeded`: what is there asked for it no more. */
export type StepListener = (step: { readonly kind: StepKind; readonly outcome: 'done' | 'unneeded' | 'failed' }) => void

/** Where a step is done. */
export interface StepPlace {
  readonly serverId: number
  readonly alias: string
  readonly provisioner: Provisioner
  readonly secretKind: SecretKind
  /** Logs in as an account does, once. @throws StorageError */
  readonly tryLogin: (login: Login, signal: AbortSignal) => Promise<void>
  readonly signal: AbortSignal
}

/** One account: what is wanted of it, and what is there. */
export interface StepAccount {
  readonly name: string
  readonly wanted: WantedAccount | undefined
  readonly there: ObservedAccount | undefined
}

/** Longer than any request waits for its connection. */
const OLD_SECRET_GRACE = 60_000

const VERBS: Record<StepKind, AccountVerb> = {
  create: 'created',
  'set-secret': 'secret-set',
  'end-old-secret': 'old-secret-ended',
  'make-home': 'home-made',
  'fix-home': 'home-moved',
  enable: 'enabled',
  disable: 'disabled',
  'archive-home': 'home-archived',
  remove: 'removed',
}

/** What logged in before stands in a folder that is no more, or was let in by an account that was another one. */
const ENDS_CONNECTIONS: ReadonlySet<StepKind> = new Set(['make-home', 'fix-home', 'enable', 'disable', 'archive-home'])

type Columns = Partial<
  Pick<
    ManagedAccountRow,
    | 'state'
    | 'home'
    | 'archivedHome'
    | 'secretVersion'
    | 'secretSetAt'
    | 'secretRejectedAt'
    | 'oldSecretUntil'
    | 'pendingSecret'
    | 'rotate'
  >
>

interface Done {
  readonly there: ObservedAccount | undefined
  readonly columns: Columns
  /** The permission logs in with these from now on. */
  readonly credentials?: Credentials
  readonly path?: string | undefined
}

/**
 * Does single steps: what must be remembered before, the server's part, and then, in one transaction, what is known now, the
 * step's end and its audit event. A crash in between leaves a step that can be done again.
 */
export class AccountSteps {
  constructor(private readonly parts: StepsParts) {}

  /**
   * @returns what is there afterwards
   * @throws ProvisionError
   */
  async do(step: Step, account: StepAccount, place: StepPlace, actor: Actor): Promise<ObservedAccount | undefined> {
    const done = await this.#onServer(step.kind, account, place)
    await this.parts.database.change(async (transaction) => {
      const id = await this.#remember(step, account, place, done, actor, transaction)
      const object = { id, name: `${account.name}@${place.alias}` }
      const details = { run: step.runId, path: done.path }
      await this.parts.audit.record({ type: `account.${VERBS[step.kind]}`, object, details }, actor, transaction)
      await this.parts.queue.finishStep(step, 'done', undefined, transaction)
    })
    this.parts.onStep?.({ kind: step.kind, outcome: 'done' })
    return done.there
  }

  /** What a step could not do, for the record. */
  async fail(step: Step, reason: string, place: Pick<StepPlace, 'serverId' | 'alias'>, actor: Actor): Promise<void> {
    const { database, audit, queue } = this.parts
    await database.transaction(async (transaction) => {
      const row = await this.#row(place.serverId, step.account, transaction)
      const object = { id: row?.id ?? 0, name: `${step.account}@${place.alias}` }
      const event = { type: `account.${VERBS[step.kind]}` as const, object, details: { run: step.runId, reason } }
      await audit.record(event, actor, transaction, { outcome: 'failed' })
      await queue.finishStep(step, 'failed', reason, transaction)
    })
    this.parts.onStep?.({ kind: step.kind, outcome: 'failed' })
  }

  async #onServer(kind: StepKind, account: StepAccount, place: StepPlace): Promise<Done> {
    const { name, there, wanted } = account
    const { provisioner, signal } = place
    const row = await this.#row(place.serverId, name)
    const home = wantedHome(
      wanted,
      row ? { home: row.home ?? undefined } : undefined,
      there,
      rulesOf(provisioner),
      name,
    )
    switch (kind) {
      case 'create':
        return this.#create(account, home, place)
      case 'set-secret':
        return this.#setSecret(account, place)
      case 'end-old-secret':
        return this.#endOldSecret(account, place)
      case 'make-home':
        await provisioner.makeHome(name, home, { signal })
        return {
          there: { ...(there ?? { name, state: 'enabled' }), home, homeReady: true },
          columns: { home },
          path: home,
        }
      case 'fix-home':
        await able(provisioner, 'setHome').setHome(name, home, { signal })
        return { there: present(there, name, { home, homeReady: false }), columns: { home }, path: home }
      case 'enable':
        await able(provisioner, 'enable').enable(name, { signal })
        return { there: present(there, name, { state: 'enabled' }), columns: { state: 'enabled' } }
      case 'disable':
        await able(provisioner, 'disable').disable(name, { signal })
        return { there: present(there, name, { state: 'disabled' }), columns: { state: 'disabled' } }
      case 'archive-home': {
        const from = there?.home ?? home
        const path = await able(provisioner, 'archiveHome').archiveHome(name, from, { signal })
        const columns = { archivedHome: path ?? from }
        return { there: present(there, name, { homeReady: false }), columns, path }
      }
      case 'remove':
        await able(provisioner, 'remove').remove(name, { signal })
        return { there: undefined, columns: { state: 'removed' } }
    }
  }

  async #create({ name, wanted }: StepAccount, home: string, place: StepPlace): Promise<Done> {
    if (!wanted) throw new ProvisionError('REFUSED', 'Nobody wants this account any more.')
    const { provisioner, signal } = place
    // Written down first: what is found with this mark after a crash is ours.
    const { row, isNew, credentials } = await this.#prepare(name, wanted, place, { state: 'creating', home })
    const mark = markOf(row)
    try {
      const account = { name, home, secret: secretFor(credentials), mark }
      await able(provisioner, 'create').create(account, { signal })
    } catch (error) {
      if (isNew && isProvisionError(error, 'NAME_TAKEN', 'REFUSED')) {
        await this.parts.database.transaction((transaction) => row.destroy({ transaction }))
      }
      throw error
    }
    const columns = { ...secretSet(), oldSecretUntil: null, state: 'enabled', home, archivedHome: null }
    return { there: { name, state: 'enabled', home, homeReady: false, mark }, columns, credentials, path: home }
  }

  /**
   * The new secret is kept beside the old one before the server hears of it, and becomes the permission's only after the
   * server let somebody in with it. Where a server can take two, the one of before stays for requests that still hold it,
   * and a later step ends it.
   */
  async #setSecret({ name, wanted, there }: StepAccount, place: StepPlace): Promise<Done> {
    if (!wanted) throw new ProvisionError('REFUSED', 'Nobody wants this account any more.')
    const { provisioner, signal } = place
    const { credentials } = await this.#prepare(name, wanted, place, {})
    const keep = await this.#kept(wanted, credentials)
    const options = { signal, ...(keep && { keep }) }
    await able(provisioner, 'setSecret').setSecret(name, secretFor(credentials), options)
    if (there?.state === 'enabled') await this.#verify(name, credentials, place)
    const until = new Date(Date.now() + (this.parts.oldSecretGrace ?? OLD_SECRET_GRACE))
    const columns = { ...secretSet(), oldSecretUntil: keep ? until : null }
    return { there: present(there, name, {}), columns, credentials }
  }

  /** The permission's own secret alone lets in from now on. */
  async #endOldSecret({ name, wanted, there }: StepAccount, place: StepPlace): Promise<Done> {
    if (!wanted) throw new ProvisionError('REFUSED', 'Nobody wants this account any more.')
    const secret = secretFor(await this.parts.permissions.login(wanted.permissionId))
    await able(place.provisioner, 'setSecret').setSecret(name, secret, { signal: place.signal })
    return { there: present(there, name, {}), columns: { oldSecretUntil: null } }
  }

  async #verify(name: string, credentials: Credentials, place: StepPlace): Promise<void> {
    try {
      await place.tryLogin({ username: name, ...credentials }, place.signal)
    } catch (error) {
      if (!isStorageError(error, 'LOGIN_REJECTED')) throw fromStorage(error)
      throw new ProvisionError('DENIED', 'The server took the new secret and does not let it in.', { cause: error })
    }
  }

  /** The permission's secret beside the new one. A server has one password for an account: that alone cannot stay. */
  async #kept({ permissionId }: WantedAccount, fresh: Credentials): Promise<AccountSecret | undefined> {
    const { password, privateKey, passphrase } = await this.parts.permissions.login(permissionId)
    if (privateKey !== undefined) return passphrase === undefined ? secretFor({ privateKey }) : undefined
    if (password === undefined || fresh.password !== undefined) return undefined
    return { kind: 'password', password }
  }

  /** The account's record with a secret on its way: the one that an earlier try made, where there is one. */
  async #prepare(
    name: string,
    wanted: WantedAccount,
    { serverId, secretKind, provisioner }: StepPlace,
    columns: Columns,
  ): Promise<{ row: ManagedAccountRow; isNew: boolean; credentials: Credentials }> {
    const { database, pending } = this.parts
    const kind = provisioner.secrets.includes(secretKind) ? secretKind : (provisioner.secrets[0] ?? 'password')
    return database.transaction(async (transaction) => {
      const found = await this.#row(serverId, name, transaction)
      const { ManagedAccount } = database.models
      const made = { serverId, name, permissionId: wanted.permissionId, state: 'creating', ...NEW_ACCOUNT }
      const row = found ?? (await ManagedAccount.create(made, { transaction }))
      const earlier =
        row.pendingSecret === null ? undefined : readable(() => pending.decrypt(row.id, row.pendingSecret ?? ''))
      const credentials = earlier ?? newCredentials(kind)
      const pendingSecret = earlier ? row.pendingSecret : pending.encrypt(row.id, credentials)
      await row.update({ ...columns, permissionId: wanted.permissionId, pendingSecret }, { transaction })
      return { row, isNew: found === null, credentials }
    })
  }

  async #remember(
    step: Step,
    { name, wanted }: StepAccount,
    { serverId }: StepPlace,
    { columns, credentials }: Done,
    actor: Actor,
    transaction: Transaction,
  ): Promise<number> {
    const { permissions, database } = this.parts
    const row = await this.#row(serverId, name, transaction)
    if (row && step.kind === 'remove') {
      await row.destroy({ transaction })
      return row.id
    }
    const { Permission } = database.models
    // The permission may have gone meanwhile: then its account waits for its own end.
    const permission = wanted && (await Permission.findByPk(wanted.permissionId, { transaction }))
    const before = permission?.secretVersion
    let secretVersion = row?.secretVersion ?? null
    if (credentials && permission) {
      ;({ secretVersion } = await permissions.setCredentials(permission.id, credentials, actor, transaction))
    } else if (permission && ENDS_CONNECTIONS.has(step.kind)) {
      const renewed = await permissions.renewConnections(permission.id, transaction)
      if (secretVersion === before) secretVersion = renewed
    }
    await row?.update({ ...columns, secretVersion }, { transaction })
    return row?.id ?? 0
  }

  async #row(serverId: number, name: string, transaction?: Transaction): Promise<ManagedAccountRow | null> {
    const { database } = this.parts
    const options = { where: { serverId, name }, transaction: transaction ?? null }
    return database.read(() => database.models.ManagedAccount.findOne(options))
  }
}

function secretSet(): Columns {
  return { pendingSecret: null, secretRejectedAt: null, rotate: false, secretSetAt: new Date() }
}

type Optional = 'create' | 'setSecret' | 'setHome' | 'enable' | 'disable' | 'archiveHome' | 'remove'

/** The same, known to have the method. @throws ProvisionError when this kind of server cannot do the step */
function able<K extends Optional>(provisioner: Provisioner, method: K): Provisioner & Required<Pick<Provisioner, K>> {
  if (provisioner[method] === undefined) {
    throw new ProvisionError('UNSUPPORTED', 'This kind of server cannot do that.')
  }
  return provisioner as Provisioner & Required<Pick<Provisioner, K>>
}

function present(there: ObservedAccount | undefined, name: string, change: Partial<ObservedAccount>): ObservedAccount {
  return { ...(there ?? { name, state: 'enabled', home: undefined, homeReady: undefined }), ...change }
}

/** A secret that cannot be read any more is made anew. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
