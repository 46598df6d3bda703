import type { IncomingHttpHeaders } from 'node:http'
import type { Node } from '../vfs/node.js'
import { HttpError } from './errors.js'
import { parseHttpDate } from './http-date.js'

const ENTITY_TAG = /(?:W\/)?"[^"]*"/g

const CONDITIONAL = ['if-match', 'if-none-match', 'if-unmodified-since', 'if-modified-since']

/** Whether a request says what must be so for it to count. */
export function isConditional(headers: IncomingHttpHeaders): boolean {
  return CONDITIONAL.some((name) => headers[name] !== undefined)
}

/**
 * Evaluates `If-Match`, `If-Unmodified-Since`, `If-None-Match`, `If-Modified-Since` in the order of RFC 9110 section 13.2.2.
 * @param current the target as it is; undefined when nothing is there
 * @param options.safe true for GET and HEAD
 * @throws HttpError 412
 */
export function checkPreconditions(
  headers: IncomingHttpHeaders,
  current: Node | undefined,
  options: { safe: boolean },
): 'proceed' | 'not-modified' {
  const modified = wholeSeconds(current?.modified)
  const ifMatch = headers['if-match']
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, current, strongMatch)) throw failed('If-Match')
  } else {
    const since = dateOf(headers['if-unmodified-since'])
    if (since !== undefined && modified !== undefined && modified > since) throw failed('If-Unmodified-Since')
  }
  const ifNoneMatch = headers['if-none-match']
  if (ifNoneMatch !== undefined) {
    if (!matches(ifNoneMatch, current, weakMatch)) return 'proceed'
    if (options.safe) return 'not-modified'
    throw failed('If-None-Match')
  }
  if (!options.safe) return 'proceed'
  const since = dateOf(headers['if-modified-since'])
  return since !== undefined && modified !== undefined && modified <= since ? 'not-modified' : 'proceed'
}

/**
 * Whether `Range` counts: no `If-Range`, or one that names exactly the file as it is (RFC 9110 section 13.1.5). A date is
 * trusted only when the file cannot have changed twice in that second (8.8.2.2).
 */
export function rangeApplies(headers: IncomingHttpHeaders, node: Node, now = Date.now()): boolean {
  const ifRange = headers['if-range']
  if (ifRange === undefined) return true
  if (typeof ifRange !== 'string') return false
  if (ifRange.startsWith('"')) return node.etag !== undefined && strongMatch(ifRange.trim(), node.etag)
  const date = dateOf(ifRange)
  const modified = wholeSeconds(node.modified)
  return date !== undefined && date === modified && now - date >= 2000
}

function matches(header: string, current: Node | undefined, equal: (a: string, b: string) => boolean): boolean {
  if (header.trim() === '*') return current !== undefined
  const etag = current?.etag
  if (etag === undefined) return false
  return header.match(ENTITY_TAG)?.some((tag) => equal(tag, etag)) ?? false
}

function strongMatch(a: string, b: string): boolean {
  return a === b && !a.startsWith('W/')
}

function weakMatch(a: string, b: string): boolean {
  return a.replace(/^W\//, '') === b.replace(/^W\//, '')
}

function wholeSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / 1000) * 1000
}

function dateOf(header: string | undefined): number | undefined {
  return header === undefined ? undefined : parseHttpDate(header)
}

function failed(header: string): HttpError {
  return new HttpError(412, 'PRECONDITION_FAILED', `The condition in ${header} does not hold.`)
}
