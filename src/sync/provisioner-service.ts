import type { Transaction } from 'sequelize'
import { z } from 'zod'
import type { Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { ProvisionerRow } from '../db/models/provisioner.js'
import type { SecretCipher } from '../db/secret-cipher.js'
import { UnknownObjectError, ValidationError } from '../errors.js'
import { parseInput } from '../parse-input.js'
import type { SecretKind } from './account-secrets.js'
import { provisionerSecret, provisionerSettings } from './provisioner-settings.js'
import type { ProvisionerSecret, ProvisionerSecretName, ProvisionerSettings } from './provisioner-settings.js'

function everyInput(most: number, unit: string) {
  const message = `must be a number of ${unit} from 1 to ${most}`
  return z.number({ error: message }).int(message).min(1, message).max(most, message).nullable().optional()
}

/** What an admin says of how the accounts of a server are kept. Secrets that are left out stay; null takes them away. */
export const provisionerInput = z.strictObject({
  settings: provisionerSettings,
  secrets: provisionerSecret.nullable().optional(),
  /** What accounts log in with. */
  secretKind: z.enum(['password', 'key'], { error: 'must be password or key' }).optional(),
  /** Differences are mended without a click. */
  automatic: z.boolean().optional(),
  /** Minutes between two checks. */
  checkEvery: everyInput(10_080, 'minutes'),
  /** Days that a secret serves. */
  rotateEvery: everyInput(3650, 'days'),
})
export type SecretChanges = Partial<Record<ProvisionerSecretName, string | null>>
export type ProvisionerInput = z.input<typeof provisionerInput>

/** How the accounts of one server are kept in step, without secrets. */
export interface ProvisionerInfo {
  readonly serverId: number
  readonly settings: ProvisionerSettings
  readonly hasSecrets: boolean
  readonly secretKind: SecretKind
  readonly automatic: boolean
  readonly checkEvery: number | undefined
  readonly rotateEvery: number | undefined
}

export class ProvisionerService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly cipher: SecretCipher,
  ) {}

  async list(transaction?: Transaction): Promise<ProvisionerInfo[]> {
    const { Provisioner } = this.database.models
    const rows = await this.database.read(() => Provisioner.findAll({ transaction: transaction ?? null }))
    return rows.map(infoOf)
  }

  /** Undefined for a server whose accounts are nobody's business here. */
  async find(serverId: number, transaction?: Transaction): Promise<ProvisionerInfo | undefined> {
    const { Provisioner } = this.database.models
    const row = await this.database.read(() => Provisioner.findByPk(serverId, { transaction: transaction ?? null }))
    return row ? infoOf(row) : undefined
  }

  /** For opening the provisioner only. @throws SecretError */
  async secrets(serverId: number): Promise<ProvisionerSecret | undefined> {
    const row = await this.database.read(() => this.database.models.Provisioner.findByPk(serverId))
    return row ? this.#secretsOf(row) : undefined
  }

  /** Which are stored, by name. None when they cannot be read any more. */
  async storedSecrets(serverId: number): Promise<ProvisionerSecretName[]> {
    const row = await this.database.read(() => this.database.models.Provisioner.findByPk(serverId))
    return Object.keys((row && this.#readable(row)) ?? {}) as ProvisionerSecretName[]
  }

  /**
   * What is stored, with `changes`: a text is new, null takes one away. For forms, which never see what is stored.
   * @param options.keep false: nothing that is stored is of use any more
   * @returns as `set` takes it
   */
  async secretsWith(
    serverId: number,
    changes: SecretChanges,
    { keep }: { readonly keep: boolean },
  ): Promise<ProvisionerSecret | null | undefined> {
    if (keep && Object.keys(changes).length === 0) return undefined
    const row = await this.database.read(() => this.database.models.Provisioner.findByPk(serverId))
    const stored = keep && row ? this.#readable(row) : {}
    const all = Object.entries({ ...stored, ...changes }).filter(([, text]) => text !== null)
    return all.length === 0 ? null : Object.fromEntries(all)
  }

  /**
   * @returns names of the fields that really changed
   * @throws ValidationError, UnknownObjectError (server)
   */
  async set(
    serverId: number,
    input: ProvisionerInput,
    actor: Actor,
    outer?: Transaction,
  ): Promise<{ provisioner: ProvisionerInfo; changed: string[] }> {
    const fields = parseInput(provisionerInput, input, 'provisioner')
    return this.database.change(async (transaction) => {
      const { Server, Provisioner } = this.database.models
      const server = await Server.findByPk(serverId, { transaction })
      if (!server) throw new UnknownObjectError('There is no such server.')
      if (fields.secretKind === 'key' && server.protocol !== 'sftp') throw keysNeedSftp()
      const row = await Provisioner.findByPk(serverId, { transaction })
      const next = {
        kind: fields.settings.kind,
        settings: JSON.stringify(fields.settings),
        secretKind: fields.secretKind ?? row?.secretKind ?? 'password',
        automatic: fields.automatic ?? row?.automatic ?? false,
        checkEvery: fields.checkEvery === undefined ? (row?.checkEvery ?? null) : fields.checkEvery,
        rotateEvery: fields.rotateEvery === undefined ? (row?.rotateEvery ?? null) : fields.rotateEvery,
      }
      const changed: string[] = FIELDS.filter((field) => row?.[field] !== next[field])
      const secrets = fields.secrets === undefined ? (row?.secrets ?? null) : this.#encrypt(serverId, fields.secrets)
      const known = row ? JSON.stringify(this.#readable(row) ?? null) : 'null'
      if (fields.secrets !== undefined && JSON.stringify(fields.secrets) !== known) changed.push('secrets')
      const stored = row ?? Provisioner.build({ serverId, ...next, secrets, ...NEVER_READ })
      if (row && changed.length === 0) return { provisioner: infoOf(row), changed }
      // Another way in may work at once where the last one failed.
      await stored.set({ ...next, secrets, attempts: 0, nextAttemptAt: null }).save({ transaction })
      const details = { kind: next.kind, fields: changed, automatic: next.automatic, settings: fields.settings }
      const object = { id: serverId, name: server.alias }
      await this.audit.record({ type: 'provisioner.set', object, details }, actor, transaction)
      return { provisioner: infoOf(stored), changed }
    }, outer)
  }

  /** The accounts stay as they are and are nobody's business any more. @throws UnknownObjectError */
  async remove(serverId: number, actor: Actor, outer?: Transaction): Promise<void> {
    await this.database.change(async (transaction) => {
      const { Server, Provisioner, ManagedAccount, SyncStep } = this.database.models
      const row = await Provisioner.findByPk(serverId, { transaction })
      const server = await Server.findByPk(serverId, { transaction })
      if (!row || !server) throw new UnknownObjectError('The accounts of this server are not managed.')
      await row.destroy({ transaction })
      const accounts = await ManagedAccount.destroy({ where: { serverId }, transaction })
      await SyncStep.update(
        { state: 'aborted', finishedAt: new Date() },
        { where: { serverId, state: ['queued', 'waiting'] }, transaction },
      )
      const object = { id: serverId, name: server.alias }
      await this.audit.record({ type: 'provisioner.removed', object, details: { accounts } }, actor, transaction)
    }, outer)
  }

  #encrypt(serverId: number, secrets: ProvisionerSecret | null): string | null {
    return secrets === null ? null : this.cipher.encrypt(JSON.stringify(secrets), placeOf(serverId))
  }

  #secretsOf(row: ProvisionerRow): ProvisionerSecret | undefined {
    if (row.secrets === null) return undefined
    return JSON.parse(this.cipher.decrypt(row.secrets, placeOf(row.serverId))) as ProvisionerSecret
  }

  /** Secrets that cannot be read any more can still be replaced. */
  #readable(row: ProvisionerRow): ProvisionerSecret | undefined {
    try {
      return this.#secretsOf(row)
    } catch {
      return undefined
    }
  }
}

const FIELDS = ['kind', 'settings', 'secretKind', 'automatic', 'checkEvery', 'rotateEvery'] as const

const NEVER_READ = {
  findings: null,
  readAt: null,
  problem: null,
  attempts: 0,
  nextAttemptAt: null,
  claimedBy: null,
  claimedUntil: null,
}

function infoOf(row: ProvisionerRow): ProvisionerInfo {
  return {
    serverId: row.serverId,
    settings: JSON.parse(row.settings) as ProvisionerSettings,
    hasSecrets: row.secrets !== null,
    secretKind: row.secretKind as SecretKind,
    automatic: row.automatic,
    checkEvery: row.checkEvery ?? undefined,
    rotateEvery: row.rotateEvery ?? undefined,
  }
}

function keysNeedSftp(): ValidationError {
  const message = 'must be password: keys are for sftp servers only'
  return new ValidationError([{ field: 'provisioner.secretKind', message }])
}

function placeOf(row: number) {
  return { table: 'provisioners', row, field: 'secrets' }
}
