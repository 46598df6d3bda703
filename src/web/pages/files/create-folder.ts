import type { FolderAction } from './folder-actions.js'
import { childPath } from '../../../vfs/virtual-path.js'
import { answerAction } from './answer-action.js'
import { hrefOf, nameOf } from './file-path.js'
import { NO_LOCKS, openTree } from './files-request.js'

/** `?do=create-folder` with `folder`: its name. */
export const createFolder: FolderAction = async (dependencies, request, response, folder) => {
  const name = nameOf(request.body, 'folder')
  const { tree, call } = await openTree(dependencies, request, response)
  const node = await tree.makeDirectory(childPath(folder, name), NO_LOCKS, call)
  const data = { name: node.name }
  answerAction(request, response, {
    text: `Folder ${node.name} created.`,
    back: hrefOf(folder, true),
    status: 201,
    data,
  })
}
