import { exportedUsers } from '../../user-export.js'
import { download } from '../answers.js'
import { operation } from '../operation.js'

export const exportUsers = operation({
  id: 'users.export',
  method: 'GET',
  path: '/users/export',
  summary: 'Export all users as CSV',
  description: 'Without passwords. users.import takes the same columns.',
  scope: 'admin:read',
  responses: { 200: { description: 'A line for each user.', stream: true, type: 'text/csv' } },
  handle: ({ services }) => download(exportedUsers(services.users), { type: 'text/csv', filename: 'users.csv' }),
})
