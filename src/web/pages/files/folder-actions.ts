import type { Request, Response } from 'express'
import { HttpError } from '../../../http/errors.js'
import { createFolder } from './create-folder.js'
import { remove } from './delete.js'
import { pathOf } from './file-path.js'
import type { FilesDependencies } from './files-request.js'
import { copy, move } from './relocate.js'
import { rename } from './rename.js'
import { share } from './share.js'
import { zipSelection } from './send-zip.js'

/** What a form of a folder's page does. `folder` is the virtual path of the folder. */
export type FolderAction = (
  dependencies: FilesDependencies,
  request: Request,
  response: Response,
  folder: string,
) => Promise<void>

const ACTIONS: ReadonlyMap<unknown, FolderAction> = new Map<unknown, FolderAction>([
  ['create-folder', createFolder],
  ['rename', rename],
  ['delete', remove],
  ['copy', copy],
  ['move', move],
  ['zip', zipSelection],
  ['share', share],
])

/** `POST /files/<alias>/<path>?do=…`: names stand in the body, the folder in the path. */
export function folderActions(dependencies: FilesDependencies) {
  return async (request: Request, response: Response): Promise<void> => {
    const action = ACTIONS.get(request.query['do'])
    if (action === undefined) throw new HttpError(400, 'UNKNOWN_ACTION', 'There is no such action.')
    await action(dependencies, request, response, pathOf(request))
  }
}
