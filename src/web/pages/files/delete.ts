import type { FolderAction } from './folder-actions.js'
import { answerFor } from '../../../http/status.js'
import { baseName } from '../../../vfs/virtual-path.js'
import { textsOf } from '../../page/form.js'
import { page } from '../../page/page.js'
import { answerAction } from './answer-action.js'
import { chosenIn, hrefOf } from './file-path.js'
import { NO_LOCKS, openTree } from './files-request.js'

/** `?do=delete` with `name`s; asks first unless `confirmed`. What cannot go is named, the rest goes. */
export const remove: FolderAction = async (dependencies, request, response, folder) => {
  const chosen = chosenIn(folder, request.body)
  const here = hrefOf(folder, true)
  if (textsOf(request.body)['confirmed'] === undefined) {
    const what = chosen.length === 1 ? baseName(chosen[0] ?? '') : `${chosen.length} items`
    await page(request, response, 'files/ask', {
      title: 'Delete',
      question: `Delete ${what}? Folders go with everything in them. This cannot be undone.`,
      action: `${here}?do=delete`,
      names: chosen.map(baseName),
      field: { name: 'confirmed', value: 'yes' },
      button: 'Delete',
      danger: true,
      back: here,
      styles: ['files'],
    })
    return
  }
  const { tree, call } = await openTree(dependencies, request, response)
  const problems: { name: string; message: string }[] = []
  for (const path of chosen) {
    try {
      const failures = await tree.remove(path, NO_LOCKS, call)
      const [first] = failures
      if (first) problems.push({ name: first.path.slice(folder.length + 1), message: answerFor(first.error).message })
    } catch (error) {
      const answer = answerFor(error)
      // One that is not the fault of this item is the fault of all that follow.
      if (chosen.length === 1 || call.signal.aborted || answer.status >= 500) throw error
      problems.push({ name: baseName(path), message: answer.message })
    }
  }
  const gone = chosen.length - problems.length
  const text = [`${gone} deleted.`, ...problems.slice(0, 5).map(({ name, message }) => `${name}: ${message}`)].join(' ')
  const kind = problems.length === 0 ? 'success' : 'danger'
  answerAction(request, response, { text, kind, back: here, data: { deleted: gone, problems } })
}
