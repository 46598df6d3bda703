import { lookup } from 'mime-types'

/** By the name's ending. No charset: nobody knows in which one a remote file was written. */
export function contentTypeOf(name: string): string {
  return lookup(name) || 'application/octet-stream'
}

/** RFC 6266: a plain ASCII name for old clients and the real one for all others. */
export function contentDisposition(kind: 'attachment' | 'inline', name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const extended = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (char) => '%' + char.charCodeAt(0).toString(16).toUpperCase(),
  )
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${extended}`
}
