import { discardBody } from '../../http/body.js'
import { sendEmpty } from '../answers.js'
import { checkIf, preconditionsOf, spelledPath } from '../conditions.js'
import { badRequest } from '../dav-error.js'
import { parseDepth } from '../depth.js'
import { singleHeaderOf, type Exchange } from '../exchange.js'
import { sendFailures } from '../failures.js'
import { readRelocation } from '../relocation.js'
import { verb } from '../verb.js'

/** RFC 4918 section 9.9. */
export const move = verb(async (exchange) => {
  const { request, response, tree, call } = exchange
  discardBody(request, response)
  const depth = parseDepth(singleHeaderOf(request, 'depth'))
  const { from, to, overwrite } = readRelocation(exchange)
  const guard = { lockTokens: await checkIf(exchange), ...preconditionsOf(exchange) }
  if ((depth === '0' || depth === '1') && (await tree.stat(from, call)).type === 'directory') {
    throw badRequest('BAD_DEPTH', 'A folder is moved whole: Depth is infinity.')
  }
  const spelling = await newSpelling(exchange, from, to)
  const { created, failures } = spelling
    ? await tree.move(spelling, to, { overwrite }, guard, { ...call, names: 'exact' })
    : await tree.move(from, to, { overwrite }, guard, call)
  if (failures.length > 0) sendFailures(request, response, failures)
  else sendEmpty(response, created ? 201 : 204)
})

/**
 * A rename that changes the case of a name alone: found as loosely as the client looks for names, the target would be the
 * source itself.
 * @returns the source as the server spells it; undefined for any other move
 */
async function newSpelling(exchange: Exchange, from: string, to: string): Promise<string | undefined> {
  if (exchange.client.names === 'exact' || from === to || folded(from) !== folded(to)) return undefined
  return spelledPath(exchange, from)
}

function folded(path: string): string {
  return path.normalize('NFC').toLowerCase()
}
