import type { PermissionRow } from '../db/models/permission.js'
import type { SecretCipher } from '../db/secret-cipher.js'
import type { Credentials } from './permission-input.js'

type SecretColumn = 'userPass' | 'privateKey' | 'passphrase'

/** Column names of the database: a secret is bound to one. */
const FIELDS: Readonly<Record<SecretColumn, string>> = {
  userPass: 'user_pass',
  privateKey: 'private_key',
  passphrase: 'passphrase',
}

type CredentialColumns = Readonly<Record<SecretColumn, string | null>>

function place(id: number, column: SecretColumn) {
  return { table: 'permissions', row: id, field: FIELDS[column] }
}

export function encryptCredentials(id: number, credentials: Credentials, cipher: SecretCipher): CredentialColumns {
  const encrypt = (column: SecretColumn, secret: string | undefined) =>
    secret === undefined ? null : cipher.encrypt(secret, place(id, column))
  return {
    userPass: encrypt('userPass', credentials.password),
    privateKey: encrypt('privateKey', credentials.privateKey),
    passphrase: encrypt('passphrase', credentials.passphrase),
  }
}

/** @throws SecretError */
export function credentialsOf(row: PermissionRow, cipher: SecretCipher): Credentials {
  const decrypt = (column: SecretColumn) => {
    const stored = row[column]
    return stored === null ? undefined : cipher.decrypt(stored, place(row.id, column))
  }
  return { password: decrypt('userPass'), privateKey: decrypt('privateKey'), passphrase: decrypt('passphrase') }
}

/** Whether `credentials` are what is stored; secrets that cannot be read are not. */
export function sameCredentials(row: PermissionRow, credentials: Credentials, cipher: SecretCipher): boolean {
  try {
    const stored = credentialsOf(row, cipher)
    return (['password', 'privateKey', 'passphrase'] as const).every((field) => stored[field] === credentials[field])
  } catch {
    return false
  }
}
