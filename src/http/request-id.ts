import type { IncomingMessage } from 'node:http'
import { KeptWith } from '../heap/kept-with.js'
import { newRequestId } from '../logger.js'

const ids = new KeptWith<IncomingMessage, string>('ids')

/** One id per request, for the log, the `X-Request-Id` header and whoever reports a problem. */
export function requestIdOf(request: IncomingMessage): string {
  const known = ids.get(request)
  if (known !== undefined) return known
  const id = newRequestId()
  ids.set(request, id)
  return id
}
