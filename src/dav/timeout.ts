import { badRequest } from './dav-error.js'

/**
 * Seconds that a lock shall live: the first wish of the `Timeout` header (RFC 4918 section 10.7), at most `most`, at
 * least 1. Absent and `Infinite` mean as long as allowed.
 * @throws DavError 400 when a wish is neither `Infinite` nor `Second-<digits>`
 */
export function parseTimeout(header: string | undefined, most: number): number {
  if (header === undefined) return most
  const wishes = header.split(',').map((wish) => {
    const match = /^\s*(?:(infinite)|second-(\d{1,20}))\s*$/i.exec(wish)
    if (!match) throw badRequest('BAD_TIMEOUT', 'Timeout is a list of Infinite and Second-<number>.')
    return match[2] === undefined ? Infinity : Number(match[2])
  })
  return Math.max(1, Math.min(wishes[0] ?? Infinity, most))
}
