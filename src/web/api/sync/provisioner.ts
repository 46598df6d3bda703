import { z } from 'zod'
import { UnknownObjectError } from '../../../errors.js'
import { provisionerInput, type ProvisionerInfo } from '../../../sync/provisioner-service.js'
import { noContent, ok } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'

/** How the accounts of a server are kept in step. It has no field for a secret. */
const provisionerSchema = z
  .object({
    serverId: z.int(),
    settings: z.looseObject({ kind: z.string() }).describe('What the kind needs.'),
    hasSecrets: z.boolean(),
    secretKind: z.enum(['password', 'key']).describe('What accounts log in with.'),
    automatic: z.boolean().describe('Differences are mended without a click.'),
    checkEvery: z.int().nullable().describe('Minutes between two checks; null: none by itself.'),
    rotateEvery: z.int().nullable().describe('Days that a secret serves; null: until somebody rotates it.'),
  })
  .meta({ id: 'Provisioner' })

function viewOf(info: ProvisionerInfo): z.input<typeof provisionerSchema> {
  return { ...info, checkEvery: info.checkEvery ?? null, rotateEvery: info.rotateEvery ?? null }
}

export const getProvisioner = operation({
  id: 'sync.getProvisioner',
  method: 'GET',
  path: '/servers/{id}/provisioner',
  summary: 'Read how the accounts of a server are kept in step',
  scope: 'admin:read',
  params: idParams,
  responses: { 200: { description: 'The settings, without secrets.', body: provisionerSchema } },
  async handle({ params, services }) {
    const info = await services.sync.provisioners.find(params.id)
    if (!info) throw new UnknownObjectError('The accounts of this server are not managed.')
    return ok(viewOf(info))
  },
})

export const setProvisioner = operation({
  id: 'sync.setProvisioner',
  method: 'PUT',
  path: '/servers/{id}/provisioner',
  summary: 'Say how the accounts of a server are kept in step',
  description:
    'A secret that is left out stays as it is, and `null` forgets it; `"secrets": null` forgets all, and so does another kind. They are never given out again.',
  scope: 'admin:write',
  params: idParams,
  body: provisionerInput,
  example: {
    settings: {
      kind: 'system',
      ssh: { host: '10.0.0.7', username: 'ftpcluster', fingerprints: [`SHA256:${'A'.repeat(43)}`] },
    },
    secrets: { password: 'of this login' },
    ...{ secretKind: 'password', automatic: false, checkEvery: 60, rotateEvery: 90 },
  },
  responses: { 200: { description: 'The settings as they are now.', body: provisionerSchema } },
  async handle({ params, body, actor, services }) {
    return ok(viewOf((await services.sync.provisioners.set(params.id, body, actor)).provisioner))
  },
})

export const removeProvisioner = operation({
  id: 'sync.removeProvisioner',
  method: 'DELETE',
  path: '/servers/{id}/provisioner',
  summary: 'Leave the accounts of a server alone from now on',
  description: 'They stay on the server as they are.',
  scope: 'admin:write',
  params: idParams,
  responses: { 204: { description: 'They are not managed any more.' } },
  async handle({ params, actor, services }) {
    await services.sync.provisioners.remove(params.id, actor)
    return noContent()
  },
})
