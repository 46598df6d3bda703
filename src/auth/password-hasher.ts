import { createHmac } from 'node:crypto'
import bcrypt from 'bcrypt'

/** A bcrypt hash that `PasswordHasher` made, ready to be stored. */
export interface HashedPassword {
  readonly hash: string
}

/**
 * bcrypt reads 72 bytes and stops at a NUL, so it gets base64(HMAC-SHA-256) of the password instead: 44 bytes in which
 * every byte of the password counts. Before that the password is put into Unicode's normal form C, as RFC 8265 4.2.2 asks:
 * keyboards of macOS and Windows send `ä` differently. Nothing else is changed: blanks and case count.
 *
 * The HMAC's key only separates this use from others; it is no secret.
 */
export class PasswordHasher {
  /** @param cost of bcrypt; 12 takes about 0.2 s */
  constructor(private readonly cost = 12) {}

  async hash(password: string): Promise<HashedPassword> {
    return { hash: await bcrypt.hash(prepare(password), this.cost) }
  }

  async matches(password: string, hash: string): Promise<boolean> {
    return bcrypt.compare(prepare(password), hash)
  }

  /** A hash that takes as long to compare as a real one and that no password matches. */
  async dummy(): Promise<string> {
    return bcrypt.hash('no password is prepared to this', this.cost)
  }
}

function prepare(password: string): string {
  return createHmac('sha256', 'ftpcluster password v1').update(password.normalize('NFC')).digest('base64')
}
