import { ConflictError, ValidationError } from '../errors.js'
import type { UserService } from './user-service.js'

const USERNAME = 'admin'

/**
 * Makes the first admin, from `adminPassword`, while there is none. Without a password the set-up link of `auth/setup.ts`
 * makes one.
 * @throws ValidationError when the password breaks a rule
 */
export async function ensureAdmin(
  users: UserService,
  adminPassword: string | undefined,
  notify: (message: string) => void,
): Promise<void> {
  if (adminPassword === undefined || (await users.hasAdmin())) return
  if (await users.find(USERNAME)) {
    notify(`There is no admin, and the user "${USERNAME}" is none: make one with "ftpcluster user set-role".`)
    return
  }
  try {
    const actor = { kind: 'system', part: 'first start' } as const
    await users.createFirstAdmin({ username: USERNAME, password: adminPassword }, actor)
  } catch (error) {
    // Another process that starts at the same time was first.
    if (error instanceof ConflictError) return
    if (!(error instanceof ValidationError)) throw error
    throw new ValidationError(error.problems.map(({ message }) => ({ field: 'FTPCLUSTER_ADMIN_PASSWORD', message })))
  }
  notify(`The user "${USERNAME}" was made, with the password from FTPCLUSTER_ADMIN_PASSWORD.`)
}
