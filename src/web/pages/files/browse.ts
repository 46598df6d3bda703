import type { Request, Response } from 'express'
import { callToSend, sendFile } from '../../../http/send-file.js'
import type { Node } from '../../../vfs/node.js'
import type { Call, Tree } from '../../../vfs/tree.js'
import { wantsPage } from '../../page/wants-page.js'
import { explain } from './explain-error.js'
import { filePage } from './file-page.js'
import { shownTypeOf } from './file-kind.js'
import { pathOf } from './file-path.js'
import { accessTo, openTree, type FilesDependencies } from './files-request.js'
import { folderPage } from './folder-page.js'
import { ownPlace, type Place } from './place.js'
import { sendZip } from './send-zip.js'
import { unavailablePage } from './unavailable-page.js'

/** What a request looks at. */
export interface Opened {
  readonly tree: Tree
  readonly call: Call
  readonly path: string
  readonly place: Place
}

/** `GET /files/<alias>/<path>`: the visitor's own files. */
export function browse(dependencies: FilesDependencies) {
  return async (request: Request, response: Response): Promise<void> => {
    const path = pathOf(request)
    const opened = await openTree(dependencies, request, response)
    const place = ownPlace((at) => accessTo(dependencies, request, at))
    await browseIn(dependencies, request, response, { ...opened, path, place })
  }
}

/**
 * A folder as a page, or as compact rows for the script; `?zip` the folder as a ZIP. A file as a page that shows it;
 * `?download` and `?inline` its bytes.
 */
export async function browseIn(
  dependencies: Pick<FilesDependencies, 'config'>,
  request: Request,
  response: Response,
  opened: Opened,
): Promise<void> {
  const { tree, call, path, place } = opened
  const { download, inline, zip } = request.query
  const bytes = download !== undefined || inline !== undefined
  try {
    const node = await tree.stat(path, bytes ? callToSend(request, call) : call)
    if (node.type === 'directory') {
      if (zip !== undefined) await sendZip(dependencies, response, tree, [node], call)
      else await folderPage(request, response, opened, node)
    } else if (bytes) await content(request, response, tree, node, call, inline !== undefined)
    else await filePage(request, response, opened, node)
  } catch (error) {
    const explanation = bytes || !wantsPage(request) || response.headersSent ? undefined : explain(error, place.owner)
    if (explanation === undefined) throw error
    await unavailablePage(request, response, opened, explanation)
  }
}

function content(request: Request, response: Response, tree: Tree, node: Node, call: Call, inline: boolean) {
  const type = inline ? shownTypeOf(node.name) : undefined
  return sendFile({
    request,
    response,
    tree,
    node,
    call,
    disposition: type === undefined ? 'attachment' : 'inline',
    ...(type === undefined ? {} : { headers: { 'Content-Type': type } }),
  })
}
