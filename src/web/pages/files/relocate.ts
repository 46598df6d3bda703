import type { Request, Response } from 'express'
import { HttpError } from '../../../http/errors.js'
import { baseName, childPath } from '../../../vfs/virtual-path.js'
import { RELOCATION_WORDS, startRelocation, type Relocating } from '../../relocation.js'
import { textsOf } from '../../page/form.js'
import { page } from '../../page/page.js'
import { visitorOf } from '../../page/visitor.js'
import { answerAction } from './answer-action.js'
import { aliasOf, chosenIn, folderNamed, hrefOf } from './file-path.js'
import { NO_LOCKS, openTree, type FilesDependencies } from './files-request.js'
import type { FolderAction } from './folder-actions.js'

/** `?do=copy` with `name`s and `to`, a folder; asks for it when it is missing. */
export const copy: FolderAction = (...args) => relocate('copy', ...args)
/** `?do=move`, likewise. A move within a server is done at once. */
export const move: FolderAction = (...args) => relocate('move', ...args)

async function relocate(
  kind: Relocating,
  dependencies: FilesDependencies,
  request: Request,
  response: Response,
  folder: string,
): Promise<void> {
  const chosen = chosenIn(folder, request.body)
  const here = hrefOf(folder, true)
  const words = RELOCATION_WORDS[kind]
  const what = chosen.length === 1 ? baseName(chosen[0] ?? '') : `${chosen.length} items`
  if (textsOf(request.body)['to'] === undefined) {
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
  const { tree, call } = await openTree(dependencies, request, response, { outlivesSession: true })
  const pairs = chosen.map((from) => ({ from, to: childPath(target, baseName(from)) }))

  // What is wrong with the target is told now and not by a job that fails.
  const { type } = await tree.stat(target, call)
  if (type !== 'directory') throw new HttpError(409, 'NOT_A_DIRECTORY', 'The target is a file. Choose a folder.')
  if (kind === 'move' && aliasOf(target) === aliasOf(folder)) {
    for (const { from, to } of pairs) await tree.move(from, to, { overwrite: false }, NO_LOCKS, call)
    answerAction(request, response, { text: `${what} moved to ${target}.`, back: here })
    return
  }
  const title = `${words.doing} ${what} to ${target}`
  const job = startRelocation(dependencies, visitorOf(request), tree, { kind, pairs, overwrite: false, title })
  answerAction(request, response, {
    text: `${title}: it goes on when you leave this page.`,
    kind: 'info',
    back: '/jobs',
    status: 202,
    data: { job: job.id },
  })
}
