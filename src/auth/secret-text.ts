import { createHash, randomBytes } from 'node:crypto'

export type SecretKind = 'app-password' | 'api-token'

/** What a made-up secret says of itself: enough to find it, and to compare it, without keeping it. */
export interface ReadSecret {
  readonly kind: SecretKind
  /** Names the secret; not secret. */
  readonly prefix: string
  /** SHA-256 of the whole text, hex. */
  readonly hash: string
}

/** So that people and secret scanners know one when they see it. */
const MARKS: Readonly<Record<SecretKind, string>> = { 'app-password': 'ftpca', 'api-token': 'ftpct' }

/** Crockford's: no letters that look like digits, nothing that a keyboard or a URL takes for something else. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const PREFIX_LENGTH = 8
/** 5 bits each: 140. */
const SECRET_LENGTH = 28

const FORM = /^(ftpc[at])_([0-9a-z]{8})_([0-9a-z]{28})$/

/** A new secret of 140 random bits; SHA-256 is enough to store it, since nobody can try them all. */
export function newSecret(kind: SecretKind): ReadSecret & { readonly secret: string } {
  const prefix = randomText(PREFIX_LENGTH)
  const secret = `${MARKS[kind]}_${prefix}_${randomText(SECRET_LENGTH)}`
  return { kind, prefix, hash: sha256(secret), secret }
}

/** Undefined for anything that `newSecret` would not make, such as the password of a person. */
export function readSecret(text: string): ReadSecret | undefined {
  const [, mark, prefix] = FORM.exec(text) ?? []
  if (prefix === undefined) return undefined
  const kind = mark === MARKS['app-password'] ? 'app-password' : 'api-token'
  return { kind, prefix, hash: sha256(text) }
}

/** @param length in characters of 5 random bits each */
export function randomText(length: number): string {
  return [...randomBytes(length)].map((byte) => ALPHABET[byte & 31]).join('')
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
