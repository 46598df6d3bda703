import type { Response } from 'express'
import { contentDisposition } from '../../../http/content-type.js'
import { FILE_HEADERS } from '../../../http/send-file.js'
import type { Node } from '../../../vfs/node.js'
import type { Call, Tree } from '../../../vfs/tree.js'
import { baseName, parentPath } from '../../../vfs/virtual-path.js'
import { chosenIn } from './file-path.js'
import { openTree, type FilesDependencies } from './files-request.js'
import type { FolderAction } from './folder-actions.js'
import { collectMembers } from './zip-members.js'
import { streamZip } from './zip-stream.js'

/** Bytes of files in one ZIP. */
const MAX_BYTES = 1024 ** 4

/** `?do=zip` with `name`s. */
export const zipSelection: FolderAction = async (dependencies, request, response, folder) => {
  const chosen = chosenIn(folder, request.body)
  const { tree, call } = await openTree(dependencies, request, response)
  const nodes: Node[] = []
  for (const path of chosen) nodes.push(await tree.stat(path, call))
  await sendZip(dependencies, response, tree, nodes, call)
}

/**
 * Answers with a ZIP of files and folders. All folders are read before the first byte leaves, so that what cannot be packed
 * is an error and not a shorter archive; its length is announced.
 * @throws HttpError 507 above the bounds; whatever `tree.list` throws
 */
export async function sendZip(
  { config }: Pick<FilesDependencies, 'config'>,
  response: Response,
  tree: Tree,
  nodes: readonly Node[],
  call: Call,
): Promise<void> {
  const members = await collectMembers(tree, nodes, { items: config.limits.folderItems, bytes: MAX_BYTES }, call)
  const [first] = nodes
  const name = nodes.length === 1 ? first?.name : baseName(parentPath(first?.path ?? '/'))
  await streamZip(response, tree, members, call, {
    ...FILE_HEADERS,
    'Content-Type': 'application/zip',
    'Content-Disposition': contentDisposition('attachment', `${name || 'files'}.zip`),
  })
}
