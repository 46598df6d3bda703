import type { ServerChanges } from '../../../servers/server-input.js'
import { ok } from '../answers.js'
import type { Call } from '../operation.js'
import { tagOfServer, viewOfServer } from './server-resource.js'

/** Changes and switches on or off as one, if the server is still the one the caller knows. */
export async function changeServer(
  {
    params,
    actor,
    services,
    match,
  }: Pick<Call<'admin:write', { id: number }>, 'params' | 'actor' | 'services' | 'match'>,
  { enabled, ...changes }: ServerChanges & { enabled?: boolean | undefined },
) {
  const server = await services.change(async (transaction) => {
    match(tagOfServer(await services.servers.get(params.id, transaction)))
    await services.servers.update(params.id, changes, actor, transaction)
    if (enabled !== undefined) await services.servers.setEnabled(params.id, enabled, actor, transaction)
    return services.servers.get(params.id, transaction)
  })
  return ok(viewOfServer(server), { etag: tagOfServer(server) })
}
