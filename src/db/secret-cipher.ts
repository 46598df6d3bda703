import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { AppError } from '../errors.js'

/** Where a secret stands. It is bound to that place: copied to another row or field, it cannot be read. */
export interface SecretPlace {
  readonly table: string
  readonly row: number | string
  readonly field: string
}

/** A stored secret cannot be read: altered, moved from another row, or encrypted with a key that is not there. */
export class SecretError extends AppError {
  readonly code = 'SECRET_UNREADABLE'

  constructor(place: SecretPlace) {
    super(`The secret ${place.table}.${place.field} of row ${place.row} cannot be read.`)
  }
}

/** Bytes of a master key, of the nonce (NIST SP 800-38D 8.2.2) and of the tag. */
export const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Encrypts remote secrets at rest: AES-256-GCM, stored as `v1.<key id>.<nonce>.<tag>.<ciphertext>`, each part base64url.
 * The place is the additional authenticated data. The first key encrypts; the others still decrypt what they encrypted.
 */
export class SecretCipher {
  readonly #keys: ReadonlyMap<string, Buffer>
  /** Id of the key that encrypts. */
  readonly activeKeyId: string

  /** @param keys of 32 bytes; at least one */
  constructor(keys: readonly Buffer[]) {
    const [active] = keys
    if (!active || keys.some((key) => key.length !== KEY_BYTES)) throw new RangeError('A master key has 32 bytes.')
    this.#keys = new Map(keys.map((key) => [keyId(key), key]))
    this.activeKeyId = keyId(active)
  }

  /**
   * 32 bytes of the active key for one purpose (RFC 5869): equal after a restart, and telling nothing of the key or of what
   * other purposes got.
   */
  deriveKey(purpose: string): Buffer {
    return derive(this.#keys.get(this.activeKeyId) as Buffer, purpose)
  }

  /** As `deriveKey`, of every key that is known, by its id: for what an older key has signed. */
  deriveKeys(purpose: string): ReadonlyMap<string, Buffer> {
    return new Map([...this.#keys].map(([id, key]) => [id, derive(key, purpose)]))
  }

  encrypt(secret: string, place: SecretPlace): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#keys.get(this.activeKeyId) as Buffer, nonce)
    cipher.setAAD(placeData(place))
    const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
    return ['v1', this.activeKeyId, encode(nonce), encode(cipher.getAuthTag()), encode(text)].join('.')
  }

  /** @throws SecretError, the same whatever the reason */
  decrypt(stored: string, place: SecretPlace): string {
    const [version, id = '', nonce = '', tag = '', text, ...rest] = stored.split('.')
    const key = this.#keys.get(id)
    if (version !== 'v1' || key === undefined || text === undefined || rest.length > 0) throw new SecretError(place)
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, decode(nonce), { authTagLength: TAG_BYTES })
      decipher.setAAD(placeData(place))
      decipher.setAuthTag(decode(tag))
      return Buffer.concat([decipher.update(decode(text)), decipher.final()]).toString('utf8')
    } catch {
      throw new SecretError(place)
    }
  }
}

function derive(key: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `ftpcluster ${purpose} v1`, KEY_BYTES))
}

/** Says which key it was without saying anything about it. */
function keyId(key: Buffer): string {
  return createHmac('sha256', key).update('ftpcluster key id').digest().subarray(0, 6).toString('base64url')
}

function placeData({ table, row, field }: SecretPlace): Buffer {
  return Buffer.from(`${table}|${row}|${field}`)
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64url')
}

function decode(text: string): Buffer {
  return Buffer.from(text, 'base64url')
}
