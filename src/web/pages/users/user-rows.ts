import type { Actor } from '../../../audit/actor.js'
import { ValidationError, type Problem } from '../../../errors.js'
import type { NewUser } from '../../../users/user-input.js'
import type { UserService } from '../../../users/user-service.js'
import { parseCsv } from '../../page/csv.js'

/** Each costs a hash. */
const MOST = 100
/** Problems that are told at once. */
const MOST_PROBLEMS = 5

/**
 * Creates the users of a CSV text with the columns username, password and, if wanted, role; further columns are left
 * aside. Each has to choose an own password at the first login. All or none.
 * @returns how many
 * @throws ValidationError on the field `rows`, naming the line
 */
export async function importUsers(users: Pick<UserService, 'createAll'>, text: string, actor: Actor): Promise<number> {
  const created = await users.createAll(readRows(text), actor).catch((error: unknown) => {
    throw error instanceof ValidationError ? onRows(error.problems) : error
  })
  return created.length
}

function readRows(text: string): NewUser[] {
  const [head, ...rows] = parseCsv(text) ?? refuse('holds a quoted value without an end')
  if (head === undefined) refuse('is empty')
  const columns = head.map((name) => name.trim().toLowerCase())
  const place = {
    username: columns.indexOf('username'),
    password: columns.indexOf('password'),
    role: columns.indexOf('role'),
  }
  if (place.username === -1 || place.password === -1)
    refuse('needs a first line that names the columns username,password,role')
  if (rows.length === 0) refuse('has no line below its first one')
  if (rows.length > MOST) refuse(`holds more than ${MOST} users: import them in parts`)
  return rows.map((row) => ({
    username: (row[place.username] ?? '').trim(),
    password: row[place.password] ?? '',
    ...(row[place.role] && { role: (row[place.role] ?? '').trim() as NewUser['role'] }),
    mustChangePassword: true,
  }))
}

/** `users[3].password` is line 5: lines count from 1, and the first one names the columns. */
function onRows(problems: readonly Problem[]): ValidationError {
  const lines = problems.slice(0, MOST_PROBLEMS).map(({ field, message }) => {
    const [, index = '0', name = ''] = /^users\[(\d+)\]\.?(.*)$/.exec(field) ?? []
    return `line ${Number(index) + 2}: ${name} ${message}`
  })
  const more = problems.length - lines.length
  return refusal([...lines, ...(more > 0 ? [`${more} more`] : [])].join('; '))
}

function refusal(message: string): ValidationError {
  return new ValidationError([{ field: 'rows', message }])
}

function refuse(message: string): never {
  throw refusal(message)
}
