import { isDeepStrictEqual } from 'node:util'
import type { InferAttributes, Transaction } from 'sequelize'
import type { z } from 'zod'
import type { Actor } from '../audit/actor.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { ServerRow } from '../db/models/server.js'
import type { SecretCipher } from '../db/secret-cipher.js'
import { ConflictError, UnknownObjectError, ValidationError } from '../errors.js'
import { parseInput } from '../parse-input.js'
import type { Login } from '../storage/driver.js'
import { normalizeFingerprint } from './fingerprint.js'
import { DEFAULT_PORTS, serverChanges, serverFields } from './server-input.js'
import { serverProblems, serverTrustOf, trust } from './server-input.js'
import type { NewServer, ServerChanges, TrustInput } from './server-input.js'
import { serverOf } from './server-row.js'
import type { Server, ServerTrust } from './server.js'

type Columns = Omit<InferAttributes<ServerRow>, 'id' | 'createdAt' | 'updatedAt' | 'adminPass'>

/** Methods that change something take the transaction of a caller who changes more; then the caller's rules hold. */
export class ServerService {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly cipher: SecretCipher,
  ) {}

  async list(transaction?: Transaction): Promise<Server[]> {
    const rows = await this.database.read(() =>
      this.database.models.Server.findAll({ order: [['aliasKey', 'ASC']], transaction: transaction ?? null }),
    )
    return rows.map(serverOf)
  }

  /** @throws UnknownObjectError */
  async get(id: number, transaction?: Transaction): Promise<Server> {
    return serverOf(await this.database.read(() => this.#row(id, transaction ?? null)))
  }

  /** By alias, in any case. */
  async find(alias: string, transaction?: Transaction): Promise<Server | undefined> {
    const row = await this.database.read(() => this.#byAlias(alias, transaction ?? null))
    return row ? serverOf(row) : undefined
  }

  /**
   * The provisioning login, for tests of the connection and for the accounts on the server; never for a user's files.
   * @throws UnknownObjectError, SecretError
   */
  async adminLogin(id: number): Promise<Login | undefined> {
    const row = await this.database.read(() => this.#row(id))
    if (row.adminUser === null) return undefined
    return { username: row.adminUser, password: this.#adminPassword(row) }
  }

  /** @throws ValidationError, ConflictError (alias taken) */
  async create(input: NewServer, actor: Actor, outer?: Transaction): Promise<Server> {
    const fields = parseInput(serverFields, input)
    const columns: Columns = {
      alias: fields.alias,
      aliasKey: aliasKey(fields.alias),
      protocol: fields.protocol,
      host: fields.host,
      port: fields.port ?? DEFAULT_PORTS[fields.protocol],
      enabled: true,
      trust: JSON.stringify(fields.trust ? serverTrustOf(fields.trust) : { kind: 'none' }),
      adminUser: fields.adminUser ?? null,
      maxConnections: fields.limits?.maxConnections ?? null,
      maxConnectionsPerAccount: fields.limits?.maxConnectionsPerAccount ?? null,
      encoding: fields.encoding ?? 'utf8',
      homes: fields.homes ?? 'auto',
      uploadMode: fields.upload ?? 'auto',
      version: 1,
    }
    refuse(columns)
    return this.database.change(async (transaction) => {
      await this.#refuseTakenAlias(fields.alias, undefined, transaction)
      const row = await this.database.models.Server.create({ ...columns, adminPass: null }, { transaction })
      if (fields.adminPassword != null) {
        await row.update({ adminPass: this.#encrypt(row.id, fields.adminPassword) }, { transaction })
      }
      const details = { protocol: row.protocol, host: row.host, port: row.port, trust: serverOf(row).trust }
      await this.audit.record({ type: 'server.created', object: objectOf(row), details }, actor, transaction)
      return serverOf(row)
    }, outer)
  }

  /**
   * Changes what is given and leaves the rest. A fingerprint that the first use recorded stays when `firstUse` is said
   * again, and is forgotten when the server moves.
   * @returns names of the fields that really changed
   * @throws ValidationError, UnknownObjectError, ConflictError (alias taken)
   */
  async update(
    id: number,
    input: ServerChanges,
    actor: Actor,
    outer?: Transaction,
  ): Promise<{ server: Server; changed: string[] }> {
    const fields = parseInput(serverChanges, input)
    return this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      const next = nextColumns(row, fields)
      refuse(next)
      const changed = changedFields(row, next)
      const newPassword = fields.adminPassword
      const passwordChanged = newPassword !== undefined && newPassword !== (this.#readablePassword(row) ?? null)
      if (passwordChanged) changed.push('adminPassword')
      if (changed.length === 0) return { server: serverOf(row), changed }
      if (next.aliasKey !== row.aliasKey) await this.#refuseTakenAlias(next.alias, id, transaction)
      if (changed.some((field) => CONNECTION_FIELDS.has(field))) next.version = row.version + 1
      const adminPass = newPassword == null ? null : this.#encrypt(id, newPassword)
      const before = valuesOf(row, changed)
      await row.update(passwordChanged ? { ...next, adminPass } : next, { transaction })
      const details = { fields: changed, before, after: valuesOf(row, changed) }
      await this.audit.record({ type: 'server.updated', object: objectOf(row), details }, actor, transaction)
      return { server: serverOf(row), changed }
    }, outer)
  }

  /** @throws ValidationError, UnknownObjectError */
  async setTrust(id: number, input: TrustInput, actor: Actor, outer?: Transaction): Promise<Server> {
    return this.#setTrust(id, serverTrustOf(parseInput(trust, input, 'trust')), actor, undefined, outer)
  }

  /**
   * Records what a server showed on its first successful test, if that is what it waits for.
   * @returns whether it did
   * @throws UnknownObjectError
   */
  async pinFirstUse(id: number, shown: string, actor: Actor): Promise<boolean> {
    const fingerprint = normalizeFingerprint(shown)
    if (fingerprint === undefined) {
      throw new ValidationError([{ field: 'fingerprint', message: 'must read SHA256: and 43 characters of base64' }])
    }
    const pinned: ServerTrust = { kind: 'pinned', fingerprints: [fingerprint], firstUse: true }
    const waits = (current: ServerTrust) => current.kind === 'first-use'
    return isDeepStrictEqual((await this.#setTrust(id, pinned, actor, waits)).trust, pinned)
  }

  /** @throws UnknownObjectError */
  async setEnabled(id: number, enabled: boolean, actor: Actor, outer?: Transaction): Promise<Server> {
    return this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      if (row.enabled === enabled) return serverOf(row)
      await row.update({ enabled }, { transaction })
      const type = enabled ? 'server.enabled' : 'server.disabled'
      await this.audit.record({ type, object: objectOf(row), details: {} }, actor, transaction)
      return serverOf(row)
    }, outer)
  }

  /** Removes the permissions on it too. @throws UnknownObjectError */
  async remove(id: number, actor: Actor, outer?: Transaction): Promise<void> {
    await this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      await row.destroy({ transaction })
      const details = { before: valuesOf(row) }
      await this.audit.record({ type: 'server.removed', object: objectOf(row), details }, actor, transaction)
    }, outer)
  }

  async #setTrust(
    id: number,
    next: ServerTrust,
    actor: Actor,
    allowed: (current: ServerTrust) => boolean = () => true,
    outer?: Transaction,
  ): Promise<Server> {
    return this.database.change(async (transaction) => {
      const row = await this.#row(id, transaction)
      const current = serverOf(row)
      if (isDeepStrictEqual(current.trust, next) || !allowed(current.trust)) return current
      const columns = { trust: JSON.stringify(next), version: row.version + 1 }
      refuse({ ...row.get({ plain: true }), ...columns })
      await row.update(columns, { transaction })
      const fingerprints = next.kind === 'pinned' ? next.fingerprints : []
      const details = { kind: next.kind, fingerprints, before: current.trust }
      await this.audit.record({ type: 'server.trusted', object: objectOf(row), details }, actor, transaction)
      return serverOf(row)
    }, outer)
  }

  async #row(id: number, transaction: Transaction | null = null): Promise<ServerRow> {
    const row = await this.database.models.Server.findByPk(id, { transaction })
    if (!row) throw new UnknownObjectError('There is no such server.')
    return row
  }

  #byAlias(alias: string, transaction: Transaction | null): Promise<ServerRow | null> {
    return this.database.models.Server.findOne({ where: { aliasKey: aliasKey(alias) }, transaction })
  }

  async #refuseTakenAlias(alias: string, id: number | undefined, transaction: Transaction): Promise<void> {
    const row = await this.#byAlias(alias, transaction)
    if (row && row.id !== id) throw new ConflictError(`There is a server ${row.alias} already.`)
  }

  #encrypt(id: number, secret: string): string {
    return this.cipher.encrypt(secret, adminPassPlace(id))
  }

  #adminPassword(row: ServerRow): string | undefined {
    return row.adminPass === null ? undefined : this.cipher.decrypt(row.adminPass, adminPassPlace(row.id))
  }

  /** A secret that cannot be read any more can still be replaced. */
  #readablePassword(row: ServerRow): string | undefined {
    try {
      return this.#adminPassword(row)
    } catch {
      return ''
    }
  }
}

const CONNECTION_FIELDS = new Set(['protocol', 'host', 'port', 'trust', 'encoding'])

function nextColumns(row: ServerRow, fields: z.output<typeof serverChanges>): Columns {
  const current = serverOf(row)
  const protocol = fields.protocol ?? current.protocol
  const moved = (fields.host ?? row.host) !== row.host || (fields.port ?? row.port) !== row.port
  return {
    alias: fields.alias ?? row.alias,
    aliasKey: aliasKey(fields.alias ?? row.alias),
    protocol,
    host: fields.host ?? row.host,
    port: fields.port ?? row.port,
    enabled: row.enabled,
    trust: JSON.stringify(
      nextTrust(current, protocol, fields.trust && serverTrustOf(fields.trust), moved || protocol !== current.protocol),
    ),
    adminUser: given(fields.adminUser, row.adminUser),
    maxConnections: given(fields.limits?.maxConnections, row.maxConnections),
    maxConnectionsPerAccount: given(fields.limits?.maxConnectionsPerAccount, row.maxConnectionsPerAccount),
    encoding: fields.encoding ?? row.encoding,
    homes: fields.homes ?? row.homes,
    uploadMode: fields.upload ?? row.uploadMode,
    version: row.version,
  }
}

/** Null is said, undefined is not. */
function given<T>(said: T | null | undefined, current: T | null): T | null {
  return said === undefined ? current : said
}

function nextTrust(current: Server, protocol: string, wanted: ServerTrust | undefined, moved: boolean): ServerTrust {
  const known = current.trust
  const recorded = known.kind === 'pinned' && known.firstUse
  if (wanted?.kind === 'first-use' && recorded && !moved) return known
  if (wanted?.kind === 'pinned' && recorded && isDeepStrictEqual(wanted.fingerprints, known.fingerprints)) return known
  if (wanted) return wanted
  if (recorded && moved) return { kind: 'first-use' }
  return protocol === 'ftp' ? { kind: 'none' } : known
}

/** Columns by the names under which they are said. */
const FIELD_NAMES: readonly (readonly [keyof Columns, string])[] = [
  ['alias', 'alias'],
  ['protocol', 'protocol'],
  ['host', 'host'],
  ['port', 'port'],
  ['trust', 'trust'],
  ['adminUser', 'adminUser'],
  ['maxConnections', 'limits.maxConnections'],
  ['maxConnectionsPerAccount', 'limits.maxConnectionsPerAccount'],
  ['encoding', 'encoding'],
  ['homes', 'homes'],
  ['uploadMode', 'upload'],
]

function changedFields(row: ServerRow, next: Columns): string[] {
  return FIELD_NAMES.filter(([column]) => row[column] !== next[column]).map(([, name]) => name)
}

/** For the audit, by the names under which the fields are said: nothing of it is a secret. */
function valuesOf(row: ServerRow, fields?: readonly string[]): Record<string, unknown> {
  const shown = FIELD_NAMES.filter(([, name]) => fields?.includes(name) ?? true)
  const { trust } = serverOf(row)
  return Object.fromEntries(shown.map(([column, name]) => [name, column === 'trust' ? trust : row[column]]))
}

function refuse(columns: Columns): void {
  const trust = JSON.parse(columns.trust) as ServerTrust
  const problems = serverProblems({ ...columns, protocol: columns.protocol as Server['protocol'], trust })
  if (problems.length > 0) throw new ValidationError(problems)
}

function aliasKey(alias: string): string {
  return alias.normalize('NFC').toLowerCase()
}

function adminPassPlace(id: number) {
  return { table: 'servers', row: id, field: 'admin_pass' }
}

function objectOf(row: ServerRow) {
  return { id: row.id, name: row.alias }
}
