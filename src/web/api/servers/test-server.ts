import { z } from 'zod'
import { ValidationError } from '../../../errors.js'
import { testLogin } from '../../../permissions/test-login.js'
import { probeServer } from '../../../servers/probe-server.js'
import { ok } from '../answers.js'
import { idInBody, idParams } from '../input-values.js'
import { operation } from '../operation.js'

export const testServer = operation({
  id: 'servers.test',
  method: 'POST',
  path: '/servers/{id}/test',
  summary: 'Test the connection to a server',
  description:
    'Connects, checks trust, logs in and lists, step by step, up to the first step that fails. The fingerprint of a ' +
    'server that waits for its first use is recorded when the login worked. File names are not shown.',
  scope: 'admin:write',
  params: idParams,
  bodyOptional: true,
  body: z.strictObject({
    permissionId: idInBody
      .optional()
      .describe('Log in as this permission does; default: the admin login, else that of any permission.'),
  }),
  example: {},
  responses: {
    200: {
      description: 'What was found; whether it went well is in `ok`.',
      body: z.object({
        ok: z.boolean(),
        phases: z.array(
          z.object({
            name: z.enum(['connect', 'trust', 'login', 'list']),
            ok: z.boolean(),
            code: z.string().optional().describe('Why it failed, for programs.'),
            milliseconds: z.number(),
            detail: z.string(),
          }),
        ),
        fingerprint: z.string().nullable().describe('What the server showed.'),
        loginTried: z.boolean().describe('False where there is no login to try.'),
        recorded: z.boolean().describe('Whether the fingerprint was recorded as the one to trust.'),
      }),
    },
  },
  async handle({ params, body: { permissionId }, actor, services }) {
    const server = await services.servers.get(params.id)
    const login = permissionId === undefined ? await testLogin(services, server) : await loginOf(permissionId)
    const probe = await probeServer(services.drivers, server, login, () => {})
    const { fingerprint, loggedIn } = probe
    const first = server.trust.kind === 'first-use' && loggedIn && fingerprint !== undefined
    const recorded = first && (await services.servers.pinFirstUse(server.id, fingerprint, actor))
    const phases = probe.phases.map(({ took, ...phase }) => ({ ...phase, milliseconds: Math.round(took * 10) / 10 }))
    const loginTried = probe.phases.some(({ name }) => name === 'login')
    return ok({ ok: probe.ok, phases, fingerprint: fingerprint ?? null, loginTried, recorded })

    async function loginOf(id: number) {
      const permission = await services.permissions.get(id)
      if (permission.serverId !== server.id) {
        throw new ValidationError([{ field: 'permissionId', message: 'is a permission on another server' }])
      }
      return services.permissions.login(id)
    }
  },
})
