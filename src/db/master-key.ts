import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Database } from './database.js'
import { DatabaseError } from './errors.js'
import { KEY_BYTES, SecretCipher } from './secret-cipher.js'

export interface MasterKeyOptions {
  /** Base64 or hex of 32 bytes; several, separated by blanks: the first encrypts, the others are older ones. */
  readonly masterKey?: string | undefined
  /** File with the same content, used when `masterKey` is not given. */
  readonly masterKeyFile: string
}

const CHECK_NAME = 'master-key-check'
const CHECK_PLACE = { table: 'settings', row: CHECK_NAME, field: 'value' }
const CHECK_TEXT = 'ftpcluster'

/**
 * The cipher for remote secrets. The database remembers a value encrypted with the key, so that a missing or wrong key is
 * noticed here and not at the first login. A key is made only while the database has never known one.
 * @param notify told, once, where a new key was stored
 * @param options.create false: a database that has never known a key is an error
 * @throws DatabaseError when the key is missing, wrong, unreadable or readable for others
 */
export async function openSecrets(
  database: Database,
  options: MasterKeyOptions,
  notify: (message: string) => void,
  { create = true } = {},
): Promise<SecretCipher> {
  const check = await database.read(() => database.models.Setting.findByPk(CHECK_NAME))
  const keys = await findKeys(options)
  if (check) {
    if (!keys) {
      throw unusable(
        `The master key is missing: put it back at ${options.masterKeyFile} or into FTPCLUSTER_MASTER_KEY. ` +
          'Without it the stored passwords of the servers cannot be read.',
      )
    }
    return verified(new SecretCipher(keys), check.value)
  }
  if (!create) throw unusable('The database has no master key yet: the first start makes one.')
  const cipher = new SecretCipher(keys ?? [await makeKey(options.masterKeyFile, notify)])
  return database.transaction(async (transaction) => {
    const value = cipher.encrypt(CHECK_TEXT, CHECK_PLACE)
    const [row] = await database.models.Setting.findOrCreate({
      where: { name: CHECK_NAME },
      defaults: { name: CHECK_NAME, value },
      transaction,
    })
    return verified(cipher, row.value)
  })
}

function verified(cipher: SecretCipher, check: string): SecretCipher {
  try {
    if (cipher.decrypt(check, CHECK_PLACE) === CHECK_TEXT) return cipher
  } catch (error) {
    throw unusable('The master key is not the one that this database was encrypted with.', error)
  }
  throw unusable('The master key check of the database is damaged: restore a backup.')
}

async function findKeys({ masterKey, masterKeyFile }: MasterKeyOptions): Promise<Buffer[] | undefined> {
  if (masterKey !== undefined && masterKey.trim() !== '') return parseKeys(masterKey, 'FTPCLUSTER_MASTER_KEY')
  const text = await readKeyFile(masterKeyFile)
  return text === undefined ? undefined : parseKeys(text, masterKeyFile)
}

/** Lines that begin with `#` are comments. */
function parseKeys(text: string, source: string): Buffer[] {
  const words = text.replaceAll(/^#.*$/gm, '').split(/\s+/).filter(Boolean)
  const keys = words.map((word) => Buffer.from(word, /^[0-9a-f]{64}$/i.test(word) ? 'hex' : 'base64'))
  if (keys.length === 0 || keys.some((key) => key.length !== KEY_BYTES)) {
    throw unusable(`${source} must hold 32 bytes as base64 or hex, as "openssl rand -base64 32" makes them.`)
  }
  return keys
}

async function readKeyFile(file: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(file)
    if ((mode & 0o077) !== 0) {
      throw unusable(`The master key file ${file} can be read by others: run "chmod 600 ${file}".`)
    }
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof DatabaseError) throw error
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw unusable(`The master key file ${file} cannot be read.`, error)
  }
}

async function makeKey(file: string, notify: (message: string) => void): Promise<Buffer> {
  const key = randomBytes(KEY_BYTES)
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const handle = await open(file, 'wx', 0o600)
    try {
      await handle.writeFile(key.toString('base64') + '\n')
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw unusable(`The master key file ${file} cannot be written.`, error)
  }
  notify(`A new master key was stored in ${file}. Keep a copy of it apart from the backups of the database.`)
  return key
}

function unusable(message: string, cause?: unknown): DatabaseError {
  return new DatabaseError('DATABASE_UNUSABLE', message, { cause })
}
