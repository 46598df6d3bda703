import type { ServerResponse } from 'node:http'
import { discardBody } from '../../http/body.js'
import { ALLOWED } from '../allow.js'
import { sendEmpty } from '../answers.js'
import { checkIf } from '../conditions.js'
import { verb } from '../verb.js'

/** The same on every path, whatever is there: clients ask parents first, and asking must cost no server anything. */
export const options = verb(async (exchange) => {
  discardBody(exchange.request, exchange.response)
  await checkIf(exchange)
  answerOptions(exchange.response)
})

/** 200, not 204: macOS takes nothing else for an answer to OPTIONS. */
export function answerOptions(response: ServerResponse): void {
  response.setHeader('DAV', '1, 2, 3')
  response.setHeader('MS-Author-Via', 'DAV')
  response.setHeader('Allow', ALLOWED)
  response.setHeader('Accept-Ranges', 'bytes')
  sendEmpty(response, 200)
}
