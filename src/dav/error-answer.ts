import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerFor, answerForClient } from '../http/status.js'
import { isVfsError } from '../vfs/errors.js'
import { ALLOWED } from './allow.js'
import { XML_TYPE, sendText } from './answers.js'
import { DavError } from './dav-error.js'
import { hrefOf } from './tree-path.js'
import { XML_HEAD, escapeXml } from './xml-writer.js'

const NAMESPACE = 'urn:ftpcluster'

/** Preconditions and postconditions of RFC 4918 section 16 and RFC 4331, by error code. */
const CONDITIONS: Readonly<Record<string, string>> = {
  LOCKED: 'lock-token-submitted',
  LOCK_CONFLICT: 'no-conflicting-lock',
  NO_SUCH_LOCK: 'lock-token-matches-request-uri',
  NO_SPACE: 'sufficient-disk-space',
}

/**
 * Answers a request that failed. Headers set for a success are taken back.
 * @returns the status sent
 */
export function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): number {
  const answer = answerForClient(answerFor(error), request.headers['user-agent'])
  for (const name of ['Content-Length', 'Content-Type', 'ETag', 'Last-Modified', 'Accept-Ranges', 'Lock-Token']) {
    response.removeHeader(name)
  }
  if (answer.retryAfterSeconds !== undefined) response.setHeader('Retry-After', answer.retryAfterSeconds)
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value)
  if (answer.status === 405 && !response.hasHeader('Allow')) response.setHeader('Allow', ALLOWED)
  const forBrowsers = request.method === 'GET' || request.method === 'HEAD'
  if (forBrowsers)
    sendText(response, answer.status, 'text/plain; charset=utf-8', `${answer.message} (${answer.code})\n`)
  else sendText(response, answer.status, XML_TYPE, XML_HEAD + errorElement(error, answer.code, answer.message))
  return answer.status
}

/** `DAV:error` of RFC 4918 section 14.5, with the gateway's own code and message beside the standard condition. */
export function errorElement(error: unknown, code: string, message: string): string {
  const details = error instanceof DavError ? error.details : {}
  const condition = details.condition ?? CONDITIONS[code]
  const hrefs = details.hrefs ?? (isVfsError(error) ? error.paths : [])
  let inside = ''
  if (condition !== undefined) {
    const listed = hrefs.map((path) => `<D:href>${escapeXml(hrefOf(path, false))}</D:href>`).join('')
    inside = listed === '' ? `<D:${condition}/>` : `<D:${condition}>${listed}</D:${condition}>`
  }
  return (
    `<D:error xmlns:D="DAV:" xmlns:f="${NAMESPACE}">${inside}` +
    `<f:code>${escapeXml(code)}</f:code><f:message>${escapeXml(message)}</f:message></D:error>`
  )
}
