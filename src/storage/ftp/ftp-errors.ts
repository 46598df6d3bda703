import { StorageError, type StorageErrorCode } from '../errors.js'
import type { Reply } from './control-channel.js'

/**
 * Everything that servers say in words instead of codes. FTP has one code, 550, for "missing" and "forbidden", and servers
 * differ in the rest; the texts are those of proftpd, vsftpd, pure-ftpd, FileZilla and IIS, and of strerror(3).
 */
const MISSING = /no such (file|directory|folder)|not found|does ?n[o']t exist|cannot find/i
const FORBIDDEN = /permission denied|not permitted|access (is )?denied|forbidden/i
const FULL =
  /no space|disk (is )?full|quota|exceeds? .*(size|limit)|not enough (space|storage)|insufficient (disk|storage)/i
const NOT_EMPTY = /not empty/i
const EXISTS = /already exists|file exists/i
const TOO_MANY = /too many|maximum|limit|try again later|server is full|busy/i
/** The server ends sessions that did nothing for long. */
const IDLED = /time|idle|inactiv/i
/** pure-ftpd says 451 when it meets the end of a data connection; a full disk it names first. */
const DATA_LOST = /data connection|network stream|^451-transfer aborted/i
/** vsftpd and pure-ftpd end the listing of an unreadable folder with success: 226. */
const UNREADABLE = /failed to open directory|unable to read|permission denied|can't read|can't open/i

/** What the reply itself says, where it does. */
export function codeInText({ code, text }: Reply): StorageErrorCode | undefined {
  if (code === 452 || code === 552 || FULL.test(text)) return 'NO_SPACE'
  if (MISSING.test(text)) return 'NOT_FOUND'
  if (NOT_EMPTY.test(text)) return 'NOT_EMPTY'
  if (EXISTS.test(text)) return 'ALREADY_EXISTS'
  if (FORBIDDEN.test(text)) return 'DENIED'
  return undefined
}

export function saysUnreadable(reply: Reply): boolean {
  return UNREADABLE.test(reply.text)
}

/** Replies that concern no file: the end of the session, unknown commands, data connections. Undefined for all others. */
export function generalFault(reply: Reply): StorageError | undefined {
  switch (reply.code) {
    case 421:
      // Only what a new connection would meet again: all other ends of a session are made up for by one.
      return TOO_MANY.test(reply.text) && !IDLED.test(reply.text)
        ? refusal('BUSY', reply, { inStep: false, retryAfterSeconds: 5 })
        : refusal('CONNECTION_LOST', reply, { inStep: false })
    case 425:
    case 426:
    case 522:
      return refusal('CONNECTION_LOST', reply)
    case 500:
    case 502:
    case 504:
      return refusal('UNSUPPORTED', reply)
    case 530:
    case 532:
      return refusal('CONNECTION_LOST', reply, { inStep: false })
    case 451:
      return DATA_LOST.test(reply.text) ? refusal('CONNECTION_LOST', reply) : undefined
    default:
      return reply.code >= 400 ? undefined : refusal('PROTOCOL', reply, { inStep: false })
  }
}

/** The answer to a login, or to the connection as such. */
export function loginFault(reply: Reply): StorageError {
  const busy = reply.code === 421 || ((reply.code === 530 || reply.code === 450) && TOO_MANY.test(reply.text))
  if (busy) return refusal('BUSY', reply, { inStep: false })
  const rejected = reply.code === 530 || reply.code === 430 || reply.code === 532 || reply.code === 332
  return refusal(rejected ? 'LOGIN_REJECTED' : 'PROTOCOL', reply, { inStep: false })
}

const MESSAGES: Partial<Record<StorageErrorCode, string>> = {
  NOT_FOUND: 'There is no such file or folder.',
  ALREADY_EXISTS: 'The name is taken.',
  NOT_A_DIRECTORY: 'This is not a folder.',
  IS_A_DIRECTORY: 'This is a folder.',
  NOT_EMPTY: 'The folder is not empty.',
  DENIED: 'The server does not permit this.',
  NO_SPACE: 'The server has no space left.',
  UNSUPPORTED: 'The server cannot do this.',
  LOGIN_REJECTED: 'The server refused the login.',
  BUSY: 'The server has too many connections.',
  CONNECTION_LOST: 'The server ended the session or the transfer.',
  PROTOCOL: 'The server gave an answer that makes no sense here.',
}

/** An error for a reply; the server's words are the cause. In step unless told otherwise: the server answered. */
export function refusal(
  code: StorageErrorCode,
  reply: Reply | undefined,
  options: { inStep?: boolean; retryAfterSeconds?: number } = {},
): StorageError {
  return new StorageError(code, MESSAGES[code] ?? 'The server refused.', {
    ...options,
    inStep: options.inStep ?? true,
    cause: reply && new Error(reply.text),
  })
}
