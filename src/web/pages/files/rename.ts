import type { FolderAction } from './folder-actions.js'
import { ValidationError } from '../../../errors.js'
import { baseName, childPath } from '../../../vfs/virtual-path.js'
import { textsOf } from '../../page/form.js'
import { page } from '../../page/page.js'
import { answerAction } from './answer-action.js'
import { chosenIn, hrefOf, nameOf } from './file-path.js'
import { NO_LOCKS, openTree } from './files-request.js'

/** `?do=rename` with `name`: the old one, and `to`: the new one; asks for it when it is missing. */
export const rename: FolderAction = async (dependencies, request, response, folder) => {
  const [from = '', ...more] = chosenIn(folder, request.body)
  if (more.length > 0) throw new ValidationError([{ field: 'name', message: 'must be one: rename them one by one' }])
  const old = baseName(from)
  const here = hrefOf(folder, true)
  if (textsOf(request.body)['to'] === undefined) {
    await page(request, response, 'files/ask', {
      title: 'Rename',
      question: `New name of ${old}`,
      action: `${here}?do=rename`,
      names: [old],
      field: { name: 'to', label: 'New name', value: old },
      button: 'Rename',
      danger: false,
      back: here,
      styles: ['files'],
    })
    return
  }
  const to = nameOf(request.body, 'to')
  const { tree, call } = await openTree(dependencies, request, response)
  if (to !== old) await tree.move(from, childPath(folder, to), { overwrite: false }, NO_LOCKS, call)
  answerAction(request, response, { text: `${old} is now ${to}.`, back: here, data: { name: to } })
}
