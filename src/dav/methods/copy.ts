import { discardBody } from '../../http/body.js'
import { sendEmpty } from '../answers.js'
import { checkIf, preconditionsOf } from '../conditions.js'
import { badRequest } from '../dav-error.js'
import { parseDepth } from '../depth.js'
import { singleHeaderOf } from '../exchange.js'
import { sendFailures } from '../failures.js'
import { readRelocation } from '../relocation.js'
import { verb } from '../verb.js'

/** RFC 4918 section 9.8. */
export const copy = verb(async (exchange) => {
  const { request, response, tree, call } = exchange
  discardBody(request, response)
  const depth = parseDepth(singleHeaderOf(request, 'depth'))
  if (depth === '1') throw badRequest('BAD_DEPTH', 'Depth of a COPY is 0 or infinity.')
  const { from, to, overwrite } = readRelocation(exchange)
  const guard = { lockTokens: await checkIf(exchange), ...preconditionsOf(exchange) }
  const { created, failures } = await tree.copy(from, to, { overwrite, deep: depth !== '0' }, guard, call)
  if (failures.length > 0) sendFailures(request, response, failures)
  else sendEmpty(response, created ? 201 : 204)
})
