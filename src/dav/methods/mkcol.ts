import { readBody } from '../../http/body.js'
import { isStorageError } from '../../storage/errors.js'
import { isVfsError } from '../../vfs/errors.js'
import { sendEmpty } from '../answers.js'
import { checkIf, preconditionsOf } from '../conditions.js'
import { DavError } from '../dav-error.js'
import { pathInTree, type Exchange } from '../exchange.js'
import { verb } from '../verb.js'

/** RFC 4918 section 9.3. */
export const mkcol = verb(async (exchange) => {
  await refuseBody(exchange)
  const lockTokens = await checkIf(exchange)
  const { tree, call, response } = exchange
  try {
    await tree.makeDirectory(pathInTree(exchange), { lockTokens, ...preconditionsOf(exchange) }, call)
  } catch (error) {
    if (isVfsError(error, 'TARGET_EXISTS') || isStorageError(error, 'ALREADY_EXISTS')) {
      response.setHeader('Allow', 'OPTIONS, GET, HEAD, PUT, DELETE, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK')
      throw new DavError(405, 'ALREADY_EXISTS', 'Something with this name exists already.')
    }
    throw error
  }
  sendEmpty(response, 201)
})

/** Bodies of MKCOL are defined by extensions only, and none is offered. @throws DavError 415 */
async function refuseBody({ request, call }: Exchange): Promise<void> {
  const announced = Number(request.headers['content-length'] ?? 0)
  const chunked = request.headers['transfer-encoding'] !== undefined
  if (announced > 0 || (chunked && (await readBody(request, 1, call.signal)).length > 0)) {
    throw new DavError(415, 'BODY_NOT_TAKEN', 'MKCOL takes no body.')
  }
}
