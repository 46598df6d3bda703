import { z } from 'zod'
import { IMPORT_OUTCOMES, importUsers as importFrom, MAX_IMPORTED_USERS } from '../../user-import.js'
import { ok } from '../answers.js'
import { flag } from '../input-values.js'
import { operation } from '../operation.js'

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
  body: z.string().describe(`At most ${MAX_IMPORTED_USERS} users.`),
  example: 'username,password,role\r\ncarla,a long first password,user\r\n',
  responses: {
    200: {
      description: 'What happened to each user.',
      body: z.object({
        created: z.int(),
        changed: z.int(),
        unchanged: z.int(),
        users: z.array(z.object({ username: z.string(), outcome: z.enum(IMPORT_OUTCOMES) })),
      }),
    },
  },
  errors: [409],
  async handle({ body, query: { dryRun }, actor, services, signal }) {
    return ok(await importFrom(body, services, { actor, signal, dryRun, mustChangePassword: false }))
  },
})
