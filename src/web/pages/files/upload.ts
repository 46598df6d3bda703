import type { Request, Response } from 'express'
import { discardBody } from '../../../http/body.js'
import { HttpError } from '../../../http/errors.js'
import { receiveFile } from '../../../http/receive-file.js'
import { pathOf } from './file-path.js'
import { NO_LOCKS, openTree, type FilesDependencies } from './files-request.js'

/**
 * `PUT /files/<alias>/<path>`: the body is the file, streamed to the server and stored whole or not at all.
 * `If-None-Match: *` keeps what stands there. Never a form: a browser needs a script of ours to send this type.
 */
export function upload(dependencies: FilesDependencies) {
  return async (request: Request, response: Response): Promise<void> => {
    if (request.headers['content-type'] !== 'application/octet-stream') {
      discardBody(request, response)
      throw new HttpError(415, 'CONTENT_TYPE', 'A file is sent as application/octet-stream.')
    }
    const path = pathOf(request)
    const { tree, call } = await openTree(dependencies, request, response)
    const { node, created } = await receiveFile({ request, response, tree, path, guard: NO_LOCKS, call })
    if (node.etag !== undefined) response.set('ETag', node.etag)
    response.status(created ? 201 : 200).set('Cache-Control', 'no-store')
    response.json({ name: node.name, size: node.size, modified: node.modified ?? null })
  }
}
