import type { PermissionChanges } from '../../../permissions/permission-input.js'
import { ok } from '../answers.js'
import type { Call } from '../operation.js'
import { tagOfPermission, viewOfPermission } from './permission-resource.js'

/** Changes a permission, if it is still the one the caller knows. */
export async function changePermission(
  {
    params,
    actor,
    services,
    match,
  }: Pick<Call<'admin:write', { id: number }>, 'params' | 'actor' | 'services' | 'match'>,
  changes: PermissionChanges,
) {
  const { permission } = await services.change(async (transaction) => {
    match(tagOfPermission(await services.permissions.get(params.id, transaction)))
    return services.permissions.update(params.id, changes, actor, transaction)
  })
  return ok(viewOfPermission(permission), { etag: tagOfPermission(permission) })
}
