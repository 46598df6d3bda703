import { messageOf } from '../errors.js'
import { virtualPath } from '../vfs/virtual-path.js'
import { HttpError } from './errors.js'

/** A raw path longer than this cannot be a path of 4096 bytes, even with every byte escaped. */
const MAX_RAW = 3 * 4096 + 64

/** `..` between backslashes would climb on a server that takes them for separators. */
const CLIMBS_BY_BACKSLASH = /(^|\\)\.\.(\\|$)/

const NEVER_ESCAPED = /^[\w./~-]*$/

/** What most paths are: nothing to decode, no segment that is empty or begins with a dot, and too short to break a bound. */
const PLAIN = /^(?:\/[\w~-][\w.~-]*){1,64}\/?$/
const PLAIN_LENGTH = 255

function badPath(message: string, cause?: unknown): HttpError {
  return new HttpError(400, 'BAD_PATH', message, { cause })
}

/**
 * The virtual path in the path part of a URL, as it came over the wire: split on `/`, then every segment decoded once.
 * Raw bytes above 0x7f, which Node hands over as Latin-1, are read as the UTF-8 that clients mean.
 * @throws HttpError 400 for bad escapes, invalid UTF-8, an escaped slash, control characters, `..`, `?`, `#`; 414 when too long
 */
export function parseUrlPath(raw: string): { path: string; trailingSlash: boolean } {
  if (raw.length > MAX_RAW) throw new HttpError(414, 'PATH_TOO_LONG', 'The path is too long.')
  const trailingSlash = raw.endsWith('/')
  if (raw.length <= PLAIN_LENGTH && PLAIN.test(raw))
    return { path: trailingSlash ? raw.slice(0, -1) : raw, trailingSlash }
  if (!raw.startsWith('/')) throw badPath('The path does not start with a slash.')
  if (raw.includes('#')) throw badPath('A number sign in a path is written %23.')
  if (raw.includes('?')) throw badPath('A question mark in a path is written %3F.')
  const segments = raw.split('/').map(decodeSegment)
  let path: string
  try {
    path = virtualPath(segments)
  } catch (error) {
    throw badPath(messageOf(error), error)
  }
  return { path, trailingSlash }
}

function decodeSegment(raw: string): string {
  const escaped = raw.replace(/[\u0080-\u00ff]/g, (char) => '%' + char.charCodeAt(0).toString(16))
  let segment: string
  try {
    segment = decodeURIComponent(escaped)
  } catch (error) {
    throw badPath('The path holds an escape that is not valid UTF-8.', error)
  }
  if (segment.includes('/')) throw badPath('A name cannot hold a slash.')
  if (CLIMBS_BY_BACKSLASH.test(segment)) throw badPath('The path climbs out of its folder.')
  return segment
}

/**
 * The path part of a URL for a virtual path: `encodeURIComponent` per segment (upper-case hex; `!'()*` stay, which every
 * client decodes to the same), collections end in a slash. `parseUrlPath` gives the same path again.
 */
export function encodePath(path: string, collection: boolean): string {
  const encoded = NEVER_ESCAPED.test(path)
    ? path
    : path
        .split('/')
        .map((segment) => encodeURIComponent(segment.toWellFormed()))
        .join('/')
  return collection && !encoded.endsWith('/') ? encoded + '/' : encoded
}
