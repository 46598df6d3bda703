import type { Role } from '../../../users/user-input.js'
import { ok } from '../answers.js'
import type { Call } from '../operation.js'
import { tagOfUser, viewOfUser } from './user-resource.js'

/** Changes role and state as one, if the user is still as the caller knows it. */
export async function changeUser(
  call: Pick<Call<'admin:write', { id: number }>, 'params' | 'actor' | 'services' | 'match'>,
  { role, disabled }: { role?: Role | undefined; disabled?: boolean | undefined },
) {
  const { params, actor, services, match } = call
  const user = await services.change(async (transaction) => {
    match(tagOfUser(await services.users.get(params.id, transaction)))
    if (role !== undefined) await services.users.setRole(params.id, role, actor, transaction)
    if (disabled !== undefined) await services.users.setDisabled(params.id, disabled, actor, transaction)
    return services.users.get(params.id, transaction)
  })
  return ok(viewOfUser(user), { etag: tagOfUser(user) })
}
