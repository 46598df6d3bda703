import { z } from 'zod'
import { ConflictError, ValidationError, type Problem } from '../../../errors.js'
import { parseInput } from '../../../parse-input.js'
import { judgePassword } from '../../../users/password-rules.js'
import { password, role, username } from '../../../users/user-input.js'
import { ok } from '../answers.js'
import { readTable, type CsvRow } from '../csv-table.js'
import { flag } from '../input-values.js'
import { operation, type Call } from '../operation.js'
import type { Transaction } from '../services.js'

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

const MAX_ROWS = 500

const rowSchema = z.object({
  username,
  password: password.optional(),
  role: role.optional(),
  disabled: flag.optional(),
  mustChangePassword: flag.optional(),
})

type Row = z.output<typeof rowSchema> & { readonly line: number }

export const importUsers = operation({
  id: 'users.import',
  method: 'POST',
  path: '/users/import',
  summary: 'Make and change users from CSV',
  description:
    'The first line names the columns: `username`, and any of `password`, `role`, `disabled`, `mustChangePassword`. Who is ' +
    'there already is changed where a field is not empty; who is not is made, and needs a password. All or nothing.',
  scope: 'admin:write',
  query: z.strictObject({ dryRun: flag.default(false).describe('Only tell what would happen.') }),
  bodyType: 'text/csv',
  body: z.string().describe('At most 500 users.'),
  example: 'username,password,role\r\ncarla,a long first password,user\r\n',
  responses: {
    200: {
      description: 'What happened to each user.',
      body: z.object({
        created: z.int(),
        changed: z.int(),
        unchanged: z.int(),
        users: z.array(z.object({ username: z.string(), outcome: z.enum(['created', 'changed', 'unchanged']) })),
      }),
    },
  },
  errors: [409],
  async handle({ body, query: { dryRun }, actor, services, signal }) {
    const rows = judge(readTable(body, ['password', ...USER_COLUMNS], MAX_ROWS))
    await judgePasswords(rows)
    await refuseWithoutPassword(rows, services)
    // Hashes take their time, and nobody else could write while they did.
    const hashes = new Map<string, { readonly hash: string }>()
    for (const { username, password } of dryRun ? [] : rows) {
      signal.throwIfAborted()
      if (password !== undefined) hashes.set(username, await services.hashPassword(password))
    }
    const apply = (transaction?: Transaction) =>
      inOrder(rows, async (row) => ({
        username: row.username,
        outcome: await applyRow(row, hashes.get(row.username), { actor, services, dryRun }, transaction),
      }))
    const users = await (dryRun ? apply() : services.change(apply))
    const count = (outcome: string) => users.filter((user) => user.outcome === outcome).length
    return ok({ created: count('created'), changed: count('changed'), unchanged: count('unchanged'), users })
  },
})

/** @throws ValidationError with the problems of all rows */
function judge(rows: readonly CsvRow[]): Row[] {
  const problems: Problem[] = []
  const judged = rows.flatMap(({ line, cells }) => {
    const given = Object.fromEntries([...cells].filter(([, text]) => text !== ''))
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
    if (first !== undefined) problems.push({ field: `line ${line}.username`, message: `stands in line ${first} too` })
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

async function refuseWithoutPassword(rows: readonly Row[], { users }: Call['services']): Promise<void> {
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
  { actor, services: { users }, dryRun }: Pick<Call<'admin:write'>, 'actor' | 'services'> & { dryRun: boolean },
  transaction: Transaction | undefined,
): Promise<'created' | 'changed' | 'unchanged'> {
  const { username, role, disabled, mustChangePassword } = row
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
