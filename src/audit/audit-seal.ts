import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SecretCipher } from '../db/secret-cipher.js'
import type { NewAnchor } from '../db/stores/audit-store.js'

/**
 * Signs anchors: HMAC-SHA-256 with a key that is derived from the master key (RFC 5869) and stands nowhere in the
 * database. Whoever can write the database can hash events anew, and cannot sign them.
 */
export class AuditSeal {
  readonly #keys: ReadonlyMap<string, Buffer>
  readonly #active: string

  constructor(cipher: Pick<SecretCipher, 'deriveKeys' | 'activeKeyId'>) {
    this.#keys = cipher.deriveKeys('audit anchors')
    this.#active = cipher.activeKeyId
  }

  sign(anchor: Omit<NewAnchor, 'keyId' | 'mac'>): NewAnchor {
    const keyId = this.#active
    return { ...anchor, keyId, mac: macOf(anchor, this.#keys.get(keyId) as Buffer).toString('hex') }
  }

  /** False also for a key that is not there any more. */
  holds(anchor: NewAnchor): boolean {
    const key = this.#keys.get(anchor.keyId)
    if (key === undefined) return false
    const wanted = macOf(anchor, key)
    const found = Buffer.from(anchor.mac, 'hex')
    return found.length === wanted.length && timingSafeEqual(found, wanted)
  }
}

function macOf({ kind, eventId, hash, at }: Omit<NewAnchor, 'keyId' | 'mac'>, key: Buffer): Buffer {
  return createHmac('sha256', key).update([kind, eventId, hash, at.toISOString()].join('|')).digest()
}
