import type { UserService } from '../users/user-service.js'
import { csvLine } from './page/csv.js'
import { USER_COLUMNS } from './user-import.js'

const BATCH = 500

/** Lines of CSV with everybody, without anything secret, as `importUsers` takes them. */
export async function* exportedUsers(users: Pick<UserService, 'search'>): AsyncGenerator<string> {
  yield csvLine(USER_COLUMNS)
  for (let offset = 0; ; offset += BATCH) {
    const { items } = await users.search({ offset, limit: BATCH })
    for (const { username, role, disabled, mustChangePassword, hasSecondFactor, lastLoginAt, createdAt } of items) {
      const flags = [disabled, mustChangePassword, hasSecondFactor].map(String)
      yield csvLine([username, role, ...flags, lastLoginAt, createdAt])
    }
    if (items.length < BATCH) return
  }
}
