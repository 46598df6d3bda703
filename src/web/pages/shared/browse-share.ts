import { Router, type Request, type Response } from 'express'
import { addressMatcher } from '../../../config/options.js'
import { HttpError } from '../../../http/errors.js'
import { requestClient } from '../../../http/request-client.js'
import { signalOf } from '../../../http/request-signal.js'
import { parseUrlPath } from '../../../http/url-path.js'
import type { Node } from '../../../vfs/node.js'
import { childPath } from '../../../vfs/virtual-path.js'
import type { WebDependencies } from '../../dependencies.js'
import { idOf } from '../../page/request-values.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'
import { browseIn, type Opened } from '../files/browse.js'
import { chosenIn } from '../files/file-path.js'
import { sendZip } from '../files/send-zip.js'
import { sharedPlace } from './shared-place.js'

type Dependencies = Pick<WebDependencies, 'sharedTreeFor' | 'config'>

/**
 * `GET /shared/<id>/<path>`: what is shared, as `/files` shows own files; `POST …?do=zip` with `name`s. By the session of who it
 * is shared with only, and through the permission of its owner as it is at that moment.
 */
export function browseShareRoutes({ sharedTreeFor, config }: Dependencies): Router {
  const router = Router()
  const isProxy = addressMatcher(config.trustProxy)

  const open = async (request: Request, response: Response): Promise<Opened> => {
    const [raw = ''] = request.originalUrl.split('?', 1)
    const [, , , ...rest] = parseUrlPath(raw).path.split('/')
    const visitor = visitorOf(request)
    const client = requestClient(request, visitor, isProxy)
    const { share, tree } = await sharedTreeFor(visitor, idOf(request), client)
    const path = rest.reduce(childPath, share.path)
    return { tree, path, place: sharedPlace(share), call: { signal: signalOf(request, response) } }
  }

  const address = '/shared/:id{/*path}'
  router.get(address, requireVisitor, async (request, response) => {
    await browseIn({ config }, request, response, await open(request, response))
  })
  router.post(address, requireVisitor, async (request, response) => {
    if (request.query['do'] !== 'zip') throw new HttpError(400, 'UNKNOWN_ACTION', 'There is no such action.')
    const { tree, path, call } = await open(request, response)
    const nodes: Node[] = []
    for (const chosen of chosenIn(path, request.body)) nodes.push(await tree.stat(chosen, call))
    await sendZip({ config }, response, tree, nodes, call)
  })
  return router
}
