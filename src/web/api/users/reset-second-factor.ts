import { noContent } from '../answers.js'
import { idParams } from '../input-values.js'
import { operation } from '../operation.js'

export const resetSecondFactor = operation({
  id: 'users.resetSecondFactor',
  method: 'DELETE',
  path: '/users/{id}/second-factor',
  summary: 'Switch off the second factor of a user who lost it',
  scope: 'admin:write',
  params: idParams,
  responses: { 204: { description: 'The user has none now.' } },
  async handle({ params, actor, services }) {
    await services.auth.secondFactor.reset(params.id, actor)
    return noContent()
  },
})
