import { randomInt } from 'node:crypto'
import type { SecretCipher } from '../db/secret-cipher.js'
import type { Credentials } from '../permissions/permission-input.js'
import { newKeyPair, publicKeyOf } from '../storage/sftp/key-pair.js'
import type { AccountSecret } from './provisioner.js'

/** Letters and digits that every server takes and no shell, file of accounts or URL reads as more; none that look alike. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
/** 28 of 55: 162 bits. */
const LENGTH = 28

export type SecretKind = AccountSecret['kind']

/** One that nobody has ever seen, in the form in which the gateway logs in with it. */
export function newCredentials(kind: SecretKind): Credentials {
  if (kind === 'key') return { privateKey: newKeyPair().privateKey }
  return { password: Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('') }
}

/** The half that the server gets. @throws RangeError for a key that cannot be read */
export function secretFor(credentials: Credentials): AccountSecret {
  if (credentials.password !== undefined) return { kind: 'password', password: credentials.password }
  const publicKey = publicKeyOf(credentials.privateKey ?? '')
  if (publicKey === undefined) throw new RangeError('The private key of the account cannot be read.')
  return { kind: 'key', publicKey }
}

/** Secrets on their way, kept encrypted beside their account. */
export class PendingSecrets {
  constructor(private readonly cipher: SecretCipher) {}

  encrypt(accountId: number, credentials: Credentials): string {
    return this.cipher.encrypt(JSON.stringify(credentials), placeOf(accountId))
  }

  /** @throws SecretError */
  decrypt(accountId: number, stored: string): Credentials {
    return JSON.parse(this.cipher.decrypt(stored, placeOf(accountId))) as Credentials
  }
}

function placeOf(row: number) {
  return { table: 'managed_accounts', row, field: 'pending_secret' }
}
