/** Both ends counted from 0 and included. */
export interface ResolvedRange {
  readonly start: number
  readonly end: number
}

const MAX_HEADER = 64

/**
 * The one byte range that a `Range` header asks of `size` bytes, RFC 9110 section 14.1.2. Undefined: send the whole file;
 * so for no header, another unit, several ranges and anything malformed, all of which a server may ignore (14.2).
 */
export function parseRange(header: string | undefined, size: number): ResolvedRange | 'unsatisfiable' | undefined {
  if (header === undefined || header.length > MAX_HEADER) return undefined
  const match = /^bytes[ \t]*=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header)
  if (!match) return undefined
  const [, first = '', last = ''] = match
  if (first === '') {
    if (last === '') return undefined
    const suffix = Number(last)
    if (suffix === 0) return 'unsatisfiable'
    // Satisfiable by the grammar, but no Content-Range can say "none of 0 bytes".
    if (size === 0) return undefined
    return { start: Math.max(0, size - suffix), end: size - 1 }
  }
  const start = Number(first)
  const end = last === '' ? size - 1 : Number(last)
  if (last !== '' && end < start) return undefined
  if (start >= size) return 'unsatisfiable'
  return { start, end: Math.min(end, size - 1) }
}
