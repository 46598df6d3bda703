import { readSecret } from '../auth/secret-text.js'
import { ValidationError } from '../errors.js'

/** Shorter ones are refused anyway. */
const SHORTEST = 8

let common: Promise<ReadonlySet<string>> | undefined

/**
 * What a password must not be, besides what its form tells (`user-input.ts`): one that everybody tries first, the name
 * itself, or what the gateway would take for an app password.
 * @param field named in the error
 * @throws ValidationError
 */
export async function judgePassword(password: string, username: string, field = 'password'): Promise<void> {
  const message = await problemOf(password, username)
  if (message !== undefined) throw new ValidationError([{ field, message }])
}

async function problemOf(password: string, username: string): Promise<string | undefined> {
  const lower = password.toLowerCase()
  if (lower === username) return 'must not be the username'
  if (readSecret(password)) return 'must not be an app password or API token'
  common ??= loadCommon()
  return (await common).has(lower) ? 'is one of the most common passwords: choose another one' : undefined
}

/** About 18,000 in lower case. Loaded when somebody chooses a password: most processes never do. */
async function loadCommon(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'].filter((password) => password.length >= SHORTEST))
}
