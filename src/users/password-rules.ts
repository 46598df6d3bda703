import { readSecret } from '../auth/secret-text.js'
import { ValidationError } from '../errors.js'

/** Shorter ones are refused anyway. */
const SHORTEST = 8

export const NOT_THE_NAME = 'must not be the username'

let common: Promise<ReadonlySet<string>> | undefined

/**
 * What a password must not be, besides what its form tells (`user-input.ts`): one that everybody tries first, the name
 * itself, or what the gateway would take for an app password.
 * @throws ValidationError
 */
export async function judgePassword(password: string, username: string): Promise<void> {
  const lower = password.toLowerCase()
  if (lower === username) throw refusal(NOT_THE_NAME)
  if (readSecret(password)) throw refusal('must not be an app password or API token')
  common ??= loadCommon()
  if ((await common).has(lower)) throw refusal('is one of the most common passwords: choose another one')
}

/** About 18,000 in lower case. Loaded when somebody chooses a password: most processes never do. */
async function loadCommon(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'].filter((password) => password.length >= SHORTEST))
}

function refusal(message: string): ValidationError {
  return new ValidationError([{ field: 'password', message }])
}
