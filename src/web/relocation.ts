import type { AuthenticatedUser } from '../auth/authenticate.js'
import { credentialName } from '../auth/revoked-credentials.js'
import { HttpError } from '../http/errors.js'
import { answerFor } from '../http/status.js'
import type { Job, JobProgress } from '../jobs/jobs.js'
import type { Call, Tree } from '../vfs/tree.js'
import { baseName } from '../vfs/virtual-path.js'
import type { WebDependencies } from './dependencies.js'
import { NO_LOCKS } from './pages/files/files-request.js'

export type Relocating = 'copy' | 'move'

export const RELOCATION_WORDS = {
  copy: { title: 'Copy', doing: 'Copying', done: 'copied' },
  move: { title: 'Move', doing: 'Moving', done: 'moved' },
} as const

export interface Pair {
  readonly from: string
  readonly to: string
}

export interface Relocation {
  readonly kind: Relocating
  readonly pairs: readonly Pair[]
  /** What stands at a target is replaced. */
  readonly overwrite: boolean
  /** For people. */
  readonly title: string
}

/** Copies or moves as a job, which goes on without the request that began it. @throws HttpError 429 */
export function startRelocation(
  { jobs }: Pick<WebDependencies, 'jobs'>,
  user: AuthenticatedUser,
  tree: Tree,
  relocation: Relocation,
): Job {
  const work = (progress: JobProgress) => relocate(tree, relocation, progress)
  const job = jobs.start(user.userId, relocation.title, work, credentialName(user))
  if (job) return job
  throw new HttpError(429, 'TOO_MANY_JOBS', 'Too many copies are under way. Wait for one of them.', {
    headers: { 'Retry-After': '10' },
  })
}

/** One item after the other; the first that fails ends it, and what went before stays done. */
async function relocate(tree: Tree, { kind, pairs, overwrite }: Relocation, progress: JobProgress): Promise<string> {
  const { signal } = progress
  progress.say('Looking at what there is')
  let total = 0
  for (const { from } of pairs) total += await sizeOf(tree, from, { signal })
  progress.total(total)
  const call: Call = { signal, onBytes: (bytes) => progress.add(bytes) }
  const left: string[] = []
  for (const { from, to } of pairs) {
    signal.throwIfAborted()
    progress.say(baseName(from))
    const { failures } =
      kind === 'copy'
        ? await tree.copy(from, to, { overwrite, deep: true }, NO_LOCKS, call)
        : await tree.move(from, to, { overwrite }, NO_LOCKS, call)
    for (const { path, error } of failures) left.push(`${path}: ${answerFor(error).message}`)
  }
  const { done } = RELOCATION_WORDS[kind]
  if (left.length === 0) return `All ${done}.`
  return `${left.length} could not be ${done}. ${left.slice(0, 5).join(' ')}`
}

/** Bytes below `path`. */
async function sizeOf(tree: Tree, path: string, call: Call): Promise<number> {
  const node = await tree.stat(path, call)
  if (node.type === 'file') return node.size
  let bytes = 0
  const folders = [path]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    call.signal.throwIfAborted()
    for (const member of (await tree.list(folder, call)).members) {
      if (member.symlink) continue
      if (member.type === 'directory') folders.push(member.path)
      else bytes += member.size
    }
  }
  return bytes
}
