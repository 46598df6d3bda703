import { z } from 'zod'
import type { Actor } from '../audit/actor.js'
import { ConflictError, ValidationError, type Problem } from '../errors.js'
import { parseInput } from '../parse-input.js'
import { judgePassword } from '../users/password-rules.js'
import { password, role, username } from '../users/user-input.js'
import { flag } from './api/input-values.js'
import type { Transaction } from './api/services.js'
import type { WebDependencies } from './dependencies.js'
import { readTable, type CsvRow } from './page/csv-table.js'

/** As exported; what stands behind `mustChangePassword` is not read. */
export const USER_COLUMNS = [
  'username',
  'role',
  'disabled',
  'mustChangePassword',
  'hasSecondFactor',
  'lastLoginAt',
  'createdAt',
] as const

/** Each new password costs a hash. */
export const MAX_IMPORTED_USERS = 500

export const IMPORT_OUTCOMES = ['created', 'changed', 'unchanged'] as const
type Outcome = (typeof IMPORT_OUTCOMES)[number]

/** How many users met which fate, and each of them in the order of the text. */
export type ImportedUsers = Readonly<Record<Outcome, number>> & {
  readonly users: { readonly username: string; readonly outcome: Outcome }[]
}

export interface UserImportOptions {
  readonly actor: Actor
  readonly signal: AbortSignal
  /** Only tell what would happen. */
  readonly dryRun?: boolean
  /** Whether a password that the text gives has to be changed at the next login, where the text does not say. */
  readonly mustChangePassword: boolean
}

type Dependencies = Pick<WebDependencies, 'users' | 'change' | 'hashPassword'>

const rowSchema = z.object({
  username,
  password: password.optional(),
  role: role.optional(),
  disabled: flag.optional(),
  mustChangePassword: flag.optional(),
})

type Row = z.output<typeof rowSchema> & { readonly line: number }

/**
 * Makes and changes users from a CSV text: the first line names the columns, of `password` and `USER_COLUMNS`. Who is there is
 * changed where a cell is not empty; who is not is made, and needs a password. All or nothing.
 * @throws ValidationError (fields `line 3.username`, a column, or `body`), ConflictError (last active admin, a user who went
 *   meanwhile)
 */
export async function importUsers(
  text: string,
  dependencies: Dependencies,
  options: UserImportOptions,
): Promise<ImportedUsers> {
  const { dryRun = false, signal } = options
  const rows = judge(readTable(text, ['password', ...USER_COLUMNS], MAX_IMPORTED_USERS))
  await judgePasswords(rows)
  await refuseWithoutPassword(rows, dependencies)
  // Hashes take their time, and nobody else could write while they did.
  const hashes = new Map<string, { readonly hash: string }>()
  for (const { username, password } of dryRun ? [] : rows) {
    signal.throwIfAborted()
    if (password !== undefined) hashes.set(username, await dependencies.hashPassword(password))
  }
  const apply = (transaction?: Transaction) =>
    inOrder(rows, async (row) => ({
      username: row.username,
      outcome: await applyRow(row, hashes.get(row.username), dependencies, options, transaction),
    }))
  const users = await (dryRun ? apply() : dependencies.change(apply))
  const count = (outcome: Outcome) => users.filter((user) => user.outcome === outcome).length
  return { created: count('created'), changed: count('changed'), unchanged: count('unchanged'), users }
}

/** @throws ValidationError with the problems of all rows */
function judge(rows: readonly CsvRow[]): Row[] {
  const problems: Problem[] = []
  const judged = rows.flatMap(({ line, cells }) => {
    const given = Object.fromEntries(
      [...cells]
        .map(([column, text]) => [column, column === 'password' ? text : text.trim()] as const)
        .filter(([, text]) => text !== ''),
    )
    try {
      return [{ ...parseInput(rowSchema, given, `line ${line}`), line }]
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error
      problems.push(...error.problems)
      return []
    }
  })
  const lines = new Map<string, number>()
  for (const { username, line } of judged) {
    const first = lines.get(username)
    if (first !== undefined)
      problems.push({ field: `line ${line}.username`, message: `is there twice, in line ${first} too` })
    lines.set(username, line)
  }
  if (problems.length > 0) throw new ValidationError(problems)
  return judged
}

/** @throws ValidationError with the problems of all rows */
async function judgePasswords(rows: readonly Row[]): Promise<void> {
  const problems: Problem[] = []
  for (const { username, password, line } of rows) {
    if (password === undefined) continue
    await judgePassword(password, username, `line ${line}.password`).catch((error: unknown) => {
      if (!(error instanceof ValidationError)) throw error
      problems.push(...error.problems)
    })
  }
  if (problems.length > 0) throw new ValidationError(problems)
}

async function refuseWithoutPassword(rows: readonly Row[], { users }: Dependencies): Promise<void> {
  const known = new Set((await users.list()).map((user) => user.username))
  const missing = rows.filter((row) => row.password === undefined && !known.has(row.username))
  if (missing.length === 0) return
  throw new ValidationError(
    missing.map(({ line }) => ({ field: `line ${line}.password`, message: 'is required for a new user' })),
  )
}

async function applyRow(
  row: Row,
  password: { readonly hash: string } | undefined,
  { users }: Dependencies,
  { actor, dryRun, mustChangePassword: byDefault }: UserImportOptions,
  transaction: Transaction | undefined,
): Promise<Outcome> {
  const { username, role, disabled, mustChangePassword = byDefault } = row
  const user = await users.find(username, transaction)
  if (!user) {
    if (dryRun) return 'created'
    if (!password) throw new ConflictError(`${username} was removed meanwhile.`)
    const made = await users.create({ username, password, role, mustChangePassword }, actor, transaction)
    if (disabled) await users.setDisabled(made.id, true, actor, transaction)
    return 'created'
  }
  const changes =
    row.password !== undefined || (role ?? user.role) !== user.role || (disabled ?? user.disabled) !== user.disabled
  if (!changes) return 'unchanged'
  if (dryRun) return 'changed'
  if (role !== undefined) await users.setRole(user.id, role, actor, transaction)
  if (disabled !== undefined) await users.setDisabled(user.id, disabled, actor, transaction)
  if (password) await users.setPassword(user.id, password, actor, { mustChange: mustChangePassword }, transaction)
  return 'changed'
}

async function inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await work(item))
  return results
}
