import type { UserService } from '../../../users/user-service.js'
import { download } from '../answers.js'
import { csvLine } from '../../page/csv.js'
import { operation } from '../operation.js'
import { USER_COLUMNS } from '../../user-import.js'

const BATCH = 500

export const exportUsers = operation({
  id: 'users.export',
  method: 'GET',
  path: '/users/export',
  summary: 'Export all users as CSV',
  description: 'Without passwords. users.import takes the same columns.',
  scope: 'admin:read',
  responses: { 200: { description: 'A line for each user.', stream: true, type: 'text/csv' } },
  handle: ({ services }) => download(lines(services.users), { type: 'text/csv', filename: 'users.csv' }),
})

async function* lines(users: UserService): AsyncGenerator<string> {
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
