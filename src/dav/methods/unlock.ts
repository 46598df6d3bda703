import { discardBody } from '../../http/body.js'
import { sendEmpty } from '../answers.js'
import { checkIf, spelledPath } from '../conditions.js'
import { badRequest } from '../dav-error.js'
import { singleHeaderOf, pathInTree } from '../exchange.js'
import { verb } from '../verb.js'

/** RFC 4918 section 9.11. */
export const unlock = verb(async (exchange) => {
  const { request, response, tree } = exchange
  discardBody(request, response)
  const [, token] = /^\s*<([^<>\s]+)>\s*$/.exec(singleHeaderOf(request, 'lock-token') ?? '') ?? []
  if (token === undefined) throw badRequest('BAD_LOCK_TOKEN', 'UNLOCK wants a header Lock-Token: <token>.')
  await checkIf(exchange)
  await tree.unlock(await spelledPath(exchange, pathInTree(exchange)), token)
  sendEmpty(response, 204)
})
