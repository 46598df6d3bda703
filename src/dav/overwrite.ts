import { badRequest } from './dav-error.js'

/** The `Overwrite` header, RFC 4918 section 10.6: absent means T. @throws DavError 400 for anything but T and F */
export function parseOverwrite(header: string | undefined): boolean {
  if (header === undefined) return true
  const value = header.trim().toUpperCase()
  if (value === 'T') return true
  if (value === 'F') return false
  throw badRequest('BAD_OVERWRITE', 'Overwrite is T or F.')
}
