/** What an `Authorization` header of the Basic scheme says. */
export type BasicHeader =
  | { readonly kind: 'credentials'; readonly username: string; readonly password: string }
  /** No header, or one of another scheme. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'malformed' }

const MALFORMED: BasicHeader = { kind: 'malformed' }

/** Characters of the header at most; Node refuses all headers together above 16 KiB. */
const MAX_LENGTH = 8192

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Where CP-1252 differs from Latin-1: 0x80 to 0x9f. Node 20 decodes both alike (https://github.com/nodejs/node/issues/56542). */
const CP1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

/**
 * RFC 7617 section 2: the first colon separates; the password may hold more of them. Windows sends the user as
 * `DOMAIN\user` and what is not ASCII in CP-1252: the domain is dropped, and what is no UTF-8 is read as CP-1252.
 */
export function parseBasic(header: string | undefined): BasicHeader {
  if (header === undefined) return { kind: 'missing' }
  if (header.length > MAX_LENGTH) return MALFORMED
  const match = /^basic(?: +(.*))?$/i.exec(header)
  if (!match) return { kind: 'missing' }
  const encoded = (match[1] ?? '').trimEnd()
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded) || encoded.length % 4 !== 0) return MALFORMED
  const text = decode(Buffer.from(encoded, 'base64'))
  const colon = text.indexOf(':')
  if (colon < 0 || CONTROL.test(text)) return MALFORMED
  const username = text.slice(text.lastIndexOf('\\', colon) + 1, colon)
  const password = text.slice(colon + 1)
  if (username === '' || password === '') return MALFORMED
  return { kind: 'credentials', username, password }
}

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    return bytes.toString('latin1').replaceAll(/[\u0080-\u009f]/g, (c) => CP1252[c.charCodeAt(0) - 0x80] ?? c)
  }
}
