import { z } from 'zod'
import { HttpError } from '../../../http/errors.js'
import type { Job } from '../../../jobs/jobs.js'
import type { Tree } from '../../../vfs/tree.js'
import { baseName, parentPath } from '../../../vfs/virtual-path.js'
import { RELOCATION_WORDS, startRelocation, type Relocating } from '../../relocation.js'
import type { Call } from '../operation.js'
import { pathInServer, pathOf } from './file-resource.js'

export const relocationBody = z.strictObject({
  from: pathInServer,
  to: pathInServer.describe('The new path, name included.'),
  overwrite: z.boolean().default(false).describe('Replace what stands there.'),
})

export const relocationExample = { from: '/s2/a.txt', to: '/s2/b.txt' }

export type RelocationBody = z.output<typeof relocationBody>

/** Starts the job. What is wrong with source and target is told now and not by a job that fails. @throws HttpError 409, 412, 429 */
export async function relocateAsJob(
  kind: Relocating,
  tree: Tree,
  { services, user, signal, body }: Call<'files:write', unknown, unknown, RelocationBody>,
): Promise<Job> {
  const [from, to] = [pathOf(body.from), pathOf(body.to)]
  await tree.stat(from, { signal })
  const { type } = await tree.stat(parentPath(to), { signal })
  if (type !== 'directory') throw new HttpError(409, 'NOT_A_DIRECTORY', 'A file is where a folder was meant.')
  const title = `${RELOCATION_WORDS[kind].doing} ${baseName(from)} to ${to}`
  return startRelocation(services, user, tree, { kind, pairs: [{ from, to }], overwrite: body.overwrite, title })
}
