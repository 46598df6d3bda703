import { z } from 'zod'
import { endpointOf } from '../../../servers/server-row.js'
import { normalizeFingerprint } from '../../../servers/fingerprint.js'
import { ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'

export const scanServer = operation({
  id: 'servers.scan',
  method: 'POST',
  path: '/servers/{id}/scan',
  summary: 'See what a server identifies itself with',
  description: 'Logs in nowhere and records nothing. Compare the fingerprint with the server’s own, then trust it.',
  scope: 'admin:write',
  params: idParams,
  responses: {
    200: {
      description: 'What the server showed.',
      body: z.object({
        fingerprint: z.string().nullable().describe('null: plain ftp shows nothing.'),
        trusted: z.boolean().describe('Whether it is one that is trusted by its fingerprint.'),
        trustedFingerprints: z.array(z.string()),
      }),
    },
  },
  errors: [502, 503, 504],
  async handle({ params, services }) {
    const server = await services.servers.get(params.id)
    const shown = await services.drivers.driverFor(server.protocol).fingerprint(endpointOf(server))
    const fingerprint = shown === undefined ? undefined : normalizeFingerprint(shown)
    const trustedFingerprints = server.trust.kind === 'pinned' ? [...server.trust.fingerprints] : []
    const trusted = fingerprint !== undefined && trustedFingerprints.includes(fingerprint)
    return ok({ fingerprint: fingerprint ?? null, trusted, trustedFingerprints })
  },
})
