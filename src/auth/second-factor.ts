import { Op, type Transaction } from 'sequelize'
import type { Actor } from '../audit/actor.js'
import type { AuditEvent } from '../audit/audit-event.js'
import type { AuditLog } from '../audit/audit-log.js'
import type { Database } from '../db/database.js'
import type { UserRow } from '../db/models/user.js'
import type { SecretCipher } from '../db/secret-cipher.js'
import { ConflictError, UnknownObjectError, ValidationError } from '../errors.js'
import { readRecoveryCode, renewRecoveryCodes, useRecoveryCode } from './recovery-codes.js'
import type { Throttle } from './throttle.js'
import { newTotpSecret, totpStep, totpUri } from './totp.js'

export type CodeVerdict = 'ok' | 'wrong' | 'throttled'

/** Checks of one user's codes that wait for each other at most. */
const MAX_WAITING = 10

/**
 * Codes of an authenticator app (RFC 6238), each good for one use, and recovery codes for who lost the app. Switching it
 * on or off ends everything that is open: `authVersion` grows, and the caller gives the own session the new one.
 */
export class SecondFactor {
  /** The last check of each user who has one under way: guesses sent at once are judged one after the other. */
  readonly #turns = new Map<number, { readonly last: Promise<unknown>; readonly count: number }>()

  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly cipher: SecretCipher,
    private readonly throttle: Throttle,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws DatabaseError */
  async isActive(userId: number): Promise<boolean> {
    const row = await this.database.read(() => this.database.models.User.findByPk(userId))
    return row !== null && row.totpConfirmedAt !== null
  }

  /** Unused recovery codes. @throws DatabaseError */
  async recoveryCodesLeft(userId: number): Promise<number> {
    return this.database.read(() => this.database.models.RecoveryCode.count({ where: { userId } }))
  }

  /**
   * Makes a secret for the user's authenticator app; it counts once `confirm` has seen a code of it. A second call
   * replaces the first one's.
   * @returns the secret in base32 and as `otpauth://` URI, for their only showing
   * @throws UnknownObjectError, ConflictError (active already)
   */
  async begin(userId: number, actor: Actor): Promise<{ secret: string; uri: string }> {
    const secret = newTotpSecret()
    return this.database.transaction(async (transaction) => {
      const row = await this.#row(userId, transaction)
      if (row.totpConfirmedAt) throw alreadyActive()
      await row.update({ totpSecret: this.cipher.encrypt(secret, placeOf(userId)), totpLastStep: 0 }, { transaction })
      await this.#record('user.second-factor-begun', row, actor, transaction)
      return { secret, uri: totpUri(secret, row.username) }
    })
  }

  /**
   * Switches the second factor on.
   * @returns ten recovery codes, for their only showing
   * @throws ValidationError (`code`), UnknownObjectError, ConflictError (active already, or not begun)
   */
  async confirm(userId: number, code: string, actor: Actor): Promise<{ recoveryCodes: string[]; authVersion: number }> {
    return this.database.change(async (transaction) => {
      const row = await this.#row(userId, transaction)
      if (row.totpConfirmedAt) throw alreadyActive()
      if (row.totpSecret === null) throw new ConflictError('The second factor must be begun first.')
      const step = totpStep(this.#secretOf(row.totpSecret, userId), withoutBlanks(code), this.now())
      if (step === undefined) throw wrongCode('is wrong: is the clock of the phone right?')
      const authVersion = row.authVersion + 1
      const fields = { totpConfirmedAt: new Date(this.now()), totpLastStep: step, authVersion }
      await row.update(fields, { transaction })
      const recoveryCodes = await renewRecoveryCodes(this.database.models, userId, transaction)
      await this.#record('user.second-factor-enabled', row, actor, transaction)
      return { recoveryCodes, authVersion }
    })
  }

  /**
   * Judges a code of the app or a recovery code, and uses it up.
   * @param address of the client, for the limits
   * @throws DatabaseError, SecretError
   */
  async verify(userId: number, code: string, address: string): Promise<CodeVerdict> {
    const verdict = this.#inTurn(userId, async () => {
      if (!(await this.throttle.admitCode(userId, address)).go) return 'throttled'
      const right = await this.database.transaction((transaction) => this.#use(userId, code, address, transaction))
      await (right ? this.throttle.succeededCode(userId, address) : this.throttle.failedCode(userId, address))
      return right ? 'ok' : 'wrong'
    })
    return verdict ?? 'throttled'
  }

  /** Switches it off. The caller has asked for the password too. @throws ValidationError (`code`), ConflictError */
  async disable(userId: number, code: string, actor: Actor): Promise<{ authVersion: number }> {
    await this.#require(userId, code, actor)
    return this.#remove(userId, 'user.second-factor-disabled', actor)
  }

  /** For an admin, when phone and recovery codes are lost. Does nothing when there is none. @throws UnknownObjectError */
  async reset(userId: number, actor: Actor): Promise<void> {
    await this.#remove(userId, 'user.second-factor-reset', actor)
  }

  /** Replaces the recovery codes. @returns the new ones @throws ValidationError (`code`), ConflictError */
  async newRecoveryCodes(userId: number, code: string, actor: Actor): Promise<string[]> {
    await this.#require(userId, code, actor)
    return this.database.transaction(async (transaction) => {
      const row = await this.#row(userId, transaction)
      if (!row.totpConfirmedAt) throw notActive()
      const codes = await renewRecoveryCodes(this.database.models, userId, transaction)
      await this.#record('user.recovery-codes-renewed', row, actor, transaction)
      return codes
    })
  }

  async #require(userId: number, code: string, actor: Actor): Promise<void> {
    if (!(await this.isActive(userId))) throw notActive()
    const verdict = await this.verify(userId, code, 'address' in actor ? actor.address : '')
    if (verdict === 'wrong') throw wrongCode('is wrong, or was used already')
    if (verdict === 'throttled') throw wrongCode('cannot be checked now: too many wrong ones; try again later')
  }

  async #use(userId: number, code: string, address: string, transaction: Transaction): Promise<boolean> {
    const { models } = this.database
    const row = await this.#row(userId, transaction)
    if (!row.totpConfirmedAt || row.totpSecret === null) return false
    const actor: Actor = { kind: 'user', userId, username: row.username, address }
    const recoveryCode = readRecoveryCode(code)
    if (recoveryCode !== undefined && (await useRecoveryCode(models, userId, recoveryCode, transaction))) {
      const left = await models.RecoveryCode.count({ where: { userId }, transaction })
      const object = { id: userId, name: row.username }
      await this.audit.record({ type: 'user.recovery-code-used', object, details: { left } }, actor, transaction)
      return true
    }
    const step = totpStep(this.#secretOf(row.totpSecret, userId), withoutBlanks(code), this.now())
    if (step !== undefined) {
      const unused = { id: userId, totpLastStep: { [Op.lt]: step } }
      const [used] = await models.User.update({ totpLastStep: step }, { where: unused, silent: true, transaction })
      if (used === 1) return true
    }
    await this.#record('user.second-factor-failed', row, actor, transaction)
    return false
  }

  async #remove(
    userId: number,
    type: 'user.second-factor-disabled' | 'user.second-factor-reset',
    actor: Actor,
  ): Promise<{ authVersion: number }> {
    return this.database.change(async (transaction) => {
      const row = await this.#row(userId, transaction)
      if (row.totpSecret === null) return { authVersion: row.authVersion }
      const authVersion = row.authVersion + 1
      await row.update({ totpSecret: null, totpConfirmedAt: null, authVersion }, { transaction })
      await this.database.models.RecoveryCode.destroy({ where: { userId }, transaction })
      await this.#record(type, row, actor, transaction)
      return { authVersion }
    })
  }

  /** Undefined when too many wait already. */
  #inTurn<T>(userId: number, work: () => Promise<T>): Promise<T> | undefined {
    const before = this.#turns.get(userId)
    const count = (before?.count ?? 0) + 1
    if (count > MAX_WAITING) return undefined
    const result = (before?.last ?? Promise.resolve()).then(work)
    const last = result.then(nothing, nothing).then(() => {
      const turn = this.#turns.get(userId)
      if (!turn || turn.count === 1) this.#turns.delete(userId)
      else this.#turns.set(userId, { ...turn, count: turn.count - 1 })
    })
    this.#turns.set(userId, { last, count })
    return result
  }

  #secretOf(stored: string, userId: number): string {
    return this.cipher.decrypt(stored, placeOf(userId))
  }

  async #row(userId: number, transaction: Transaction): Promise<UserRow> {
    const row = await this.database.models.User.findByPk(userId, { transaction })
    if (!row) throw new UnknownObjectError('There is no such user.')
    return row
  }

  async #record(type: PlainEvent, row: UserRow, actor: Actor, transaction: Transaction): Promise<void> {
    await this.audit.record({ type, object: { id: row.id, name: row.username }, details: {} }, actor, transaction)
  }
}

type PlainEvent = Extract<
  AuditEvent['type'],
  `user.second-factor-${'begun' | 'enabled' | 'disabled' | 'reset' | 'failed'}` | 'user.recovery-codes-renewed'
>

function placeOf(userId: number) {
  return { table: 'users', row: userId, field: 'totp_secret' }
}

/** Apps show `123 456`. */
function withoutBlanks(code: string): string {
  return code.replaceAll(/[ \u00a0]/g, '')
}

function alreadyActive(): ConflictError {
  return new ConflictError('The second factor is on already.')
}

function notActive(): ConflictError {
  return new ConflictError('The second factor is not on.')
}

function wrongCode(message: string): ValidationError {
  return new ValidationError([{ field: 'code', message }])
}

function nothing(): void {}
