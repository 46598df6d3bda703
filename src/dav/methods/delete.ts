import { discardBody } from '../../http/body.js'
import { sendEmpty } from '../answers.js'
import { checkIf, preconditionsOf } from '../conditions.js'
import { badRequest } from '../dav-error.js'
import { parseDepth } from '../depth.js'
import { singleHeaderOf, pathInTree } from '../exchange.js'
import { sendFailures } from '../failures.js'
import { verb } from '../verb.js'

/** RFC 4918 section 9.6. */
export const del = verb(async (exchange) => {
  const { request, response, tree, call } = exchange
  discardBody(request, response)
  const depth = parseDepth(singleHeaderOf(request, 'depth'))
  const lockTokens = await checkIf(exchange)
  const path = pathInTree(exchange)
  if (depth === '0' || depth === '1') {
    const node = await tree.stat(path, call)
    if (node.type === 'directory') throw badRequest('BAD_DEPTH', 'A folder is deleted whole: Depth is infinity.')
  }
  const failures = await tree.remove(path, { lockTokens, ...preconditionsOf(exchange) }, call)
  if (failures.length > 0) sendFailures(request, response, failures)
  else sendEmpty(response, 204)
})
