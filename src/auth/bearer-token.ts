/** What an `Authorization` header of the Bearer scheme says. */
export type BearerHeader =
  | { readonly kind: 'token'; readonly token: string }
  /** No header, or one of another scheme. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'malformed' }

/** Characters at most: what we issue is shorter. */
const MAX_LENGTH = 4096

/** RFC 6750 section 2.1. */
export function parseBearer(header: string | undefined): BearerHeader {
  if (header === undefined || !/^bearer(?: |$)/i.test(header)) return { kind: 'missing' }
  const token = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(header)?.[1]
  return token === undefined || header.length > MAX_LENGTH ? { kind: 'malformed' } : { kind: 'token', token }
}
