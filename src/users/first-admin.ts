import { ValidationError } from '../errors.js'
import type { UserService } from './user-service.js'

const USERNAME = 'admin'

/**
 * Makes the first admin, from `adminPassword`, while there is no user at all; tells how to make one when there is no
 * password to make one with.
 * @throws ValidationError when the password breaks a rule
 */
export async function ensureAdmin(
  users: UserService,
  adminPassword: string | undefined,
  notify: (message: string) => void,
): Promise<void> {
  if ((await users.list()).length > 0) return
  if (adminPassword === undefined) {
    notify('There is no user yet. Make an admin with "ftpcluster user add admin --role admin".')
    return
  }
  try {
    await users.create(
      { username: USERNAME, password: adminPassword, role: 'admin' },
      { kind: 'system', part: 'first start' },
    )
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error
    throw new ValidationError(error.problems.map(({ message }) => ({ field: 'FTPCLUSTER_ADMIN_PASSWORD', message })))
  }
  notify(`The user "${USERNAME}" was made, with the password from FTPCLUSTER_ADMIN_PASSWORD.`)
}
