import type { Transaction } from 'sequelize'
import { z } from 'zod'
import type { Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { ProvisionerRow } from '../db/models/provisioner.js'
import type { SecretCipher } from '../db/secret-cipher.js'
import { UnknownObjectError, ValidationError, type Problem } from '../errors.js'
import { parseInput } from '../parse-input.js'
import type { SecretKind } from './account-secrets.js'
import { keyProblems, provisionerSettings, secretChanges } from './provisioner-settings.js'
import type {
  ProvisionerSecret,
  ProvisionerSecretName,
  ProvisionerSettings,
  SecretChanges,
} from './provisioner-settings.js'

function everyInput(most: number, unit: string) {
  const message = `must be a number of ${unit} from 1 to ${most}`
  return z.number({ error: message }).int(message).min(1, message).max(most, message).nullable().optional()
}

/** What an admin says of how the accounts of a server are kept. */
export const provisionerInput = z.strictObject({
  settings: provisionerSettings,
  secrets: secretChanges.nullable().optional().meta({
    description:
      'Each that is left out stays as it is, null forgets it; null in the place of all forgets all. Another kind begins with none.',
  }),
  /** What accounts log in with. */
  secretKind: z.enum(['password', 'key'], { error: 'must be password or key' }).optional(),
  /** Differences are mended without a click. */
  automatic: z.boolean().optional(),
  /** Minutes between two checks. */
  checkEvery: everyInput(10_080, 'minutes'),
  /** Days that a secret serves. */
  rotateEvery: everyInput(3650, 'days'),
})
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
      // What was said for another kind is of no use, and a secret of SSH is not for the address of something else.
      const same = row?.kind === fields.settings.kind ? row : null
      const secretKind = fields.secretKind ?? same?.secretKind ?? 'password'
      if (secretKind === 'key') refuse(keyProblems(fields.settings))
      const next = {
        kind: fields.settings.kind,
        settings: JSON.stringify(fields.settings),
        secretKind,
        automatic: fields.automatic ?? row?.automatic ?? false,
        checkEvery: fields.checkEvery === undefined ? (row?.checkEvery ?? null) : fields.checkEvery,
        rotateEvery: fields.rotateEvery === undefined ? (row?.rotateEvery ?? null) : fields.rotateEvery,
      }
      const changed: string[] = FIELDS.filter((field) => row?.[field] !== next[field])
      const secrets = this.#secretsWith(same, serverId, fields.secrets)
      if (secrets !== (row?.secrets ?? null)) changed.push('secrets')
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

  /** What is stored with the changes, encrypted: as it is where nothing changed. */
  #secretsWith(row: ProvisionerRow | null, serverId: number, changes: SecretChanges | null | undefined): string | null {
    if (changes === undefined) return row?.secrets ?? null
    const stored = row ? this.#readable(row) : undefined
    const all = Object.entries(changes === null ? {} : { ...stored, ...changes }).filter(([, text]) => text != null)
    if (all.length === 0) return null
    const text = JSON.stringify(Object.fromEntries(all))
    if (row && text === JSON.stringify(stored)) return row.secrets
    return this.cipher.encrypt(text, placeOf(serverId))
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

function refuse(problems: readonly Problem[]): void {
  if (problems.length === 0) return
  throw new ValidationError(problems.map(({ field, message }) => ({ field: `provisioner.${field}`, message })))
}

function keysNeedSftp(): ValidationError {
  const message = 'must be password: keys are for sftp servers only'
  return new ValidationError([{ field: 'provisioner.secretKind', message }])
}

function placeOf(row: number) {
  return { table: 'provisioners', row, field: 'secrets' }
}
