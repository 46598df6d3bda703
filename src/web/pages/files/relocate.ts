import type { Request, Response } from 'express'
import type { JobProgress } from '../../../jobs/jobs.js'
import { HttpError } from '../../../http/errors.js'
import { answerFor } from '../../../http/status.js'
import type { Call, Tree } from '../../../vfs/tree.js'
import { baseName, childPath } from '../../../vfs/virtual-path.js'
import { textsOf } from '../../page/form.js'
import { page } from '../../page/page.js'
import { visitorOf } from '../../page/visitor.js'
import { answerAction } from './answer-action.js'
import { aliasOf, chosenIn, folderNamed, hrefOf } from './file-path.js'
import { NO_LOCKS, openTree, type FilesDependencies } from './files-request.js'
import type { FolderAction } from './folder-actions.js'

type Kind = 'copy' | 'move'

const WORDS = {
  copy: { title: 'Copy', doing: 'Copying', done: 'copied' },
  move: { title: 'Move', doing: 'Moving', done: 'moved' },
} as const

/** `?do=copy` with `name`s and `to`, a folder; asks for it when it is missing. */
export const copy: FolderAction = (...args) => relocate('copy', ...args)
/** `?do=move`, likewise. A move within a server is done at once. */
export const move: FolderAction = (...args) => relocate('move', ...args)

async function relocate(
  kind: Kind,
  dependencies: FilesDependencies,
  request: Request,
  response: Response,
  folder: string,
): Promise<void> {
  const chosen = chosenIn(folder, request.body)
  const here = hrefOf(folder, true)
  const words = WORDS[kind]
  if (textsOf(request.body)['to'] === undefined) {
    const what = chosen.length === 1 ? baseName(chosen[0] ?? '') : `${chosen.length} items`
    await page(request, response, 'files/ask', {
      title: words.title,
      question: `${words.title} ${what} to which folder?`,
      action: `${here}?do=${kind}`,
      names: chosen.map(baseName),
      field: { name: 'to', label: 'Folder, e.g. /server2/projects', value: folder },
      button: words.title,
      danger: false,
      back: here,
      styles: ['files'],
    })
    return
  }
  const target = folderNamed(request.body, 'to')
  const { tree, call } = await openTree(dependencies, request, response)
  const pairs = chosen.map((from) => ({ from, to: childPath(target, baseName(from)) }))
  const what = chosen.length === 1 ? baseName(chosen[0] ?? '') : `${chosen.length} items`

  // What is wrong with the target is told now and not by a job that fails.
  const { type } = await tree.stat(target, call)
  if (type !== 'directory') throw new HttpError(409, 'NOT_A_DIRECTORY', 'The target is a file. Choose a folder.')
  if (kind === 'move' && aliasOf(target) === aliasOf(folder)) {
    for (const { from, to } of pairs) await tree.move(from, to, { overwrite: false }, NO_LOCKS, call)
    answerAction(request, response, { text: `${what} moved to ${target}.`, back: here })
    return
  }
  const title = `${words.doing} ${what} to ${target}`
  const job = dependencies.jobs.start(visitorOf(request).userId, title, (progress) =>
    transfer(kind, tree, pairs, progress),
  )
  if (!job) {
    throw new HttpError(429, 'TOO_MANY_JOBS', 'Too many copies are under way. Wait for one of them.', {
      headers: { 'Retry-After': '10' },
    })
  }
  answerAction(request, response, {
    text: `${title}: it goes on when you leave this page.`,
    kind: 'info',
    back: '/jobs',
    status: 202,
    data: { job: job.id },
  })
}

interface Pair {
  readonly from: string
  readonly to: string
}

/** The work of the job. One item after the other; the first that fails ends it, and what went before stays done. */
async function transfer(kind: Kind, tree: Tree, pairs: readonly Pair[], progress: JobProgress): Promise<string> {
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
        ? await tree.copy(from, to, { overwrite: false, deep: true }, NO_LOCKS, call)
        : await tree.move(from, to, { overwrite: false }, NO_LOCKS, call)
    for (const { path, error } of failures) left.push(`${path}: ${answerFor(error).message}`)
  }
  const { done } = WORDS[kind]
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
