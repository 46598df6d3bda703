import { badRequest } from './dav-error.js'

export type Depth = '0' | '1' | 'infinity'

/** The `Depth` header, RFC 4918 section 10.2; undefined when absent. @throws DavError 400 for anything else */
export function parseDepth(header: string | undefined): Depth | undefined {
  if (header === undefined) return undefined
  const depth = header.trim().toLowerCase()
  if (depth === '0' || depth === '1' || depth === 'infinity') return depth
  throw badRequest('BAD_DEPTH', 'Depth is 0, 1 or infinity.')
}
