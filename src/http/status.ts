import { ConflictError, UnknownObjectError, ValidationError } from '../errors.js'
import { StorageError, type StorageErrorCode } from '../storage/errors.js'
import { ProvisionError, type ProvisionErrorCode } from '../sync/provision-error.js'
import { VfsError, type VfsErrorCode } from '../vfs/errors.js'
import { HttpError } from './errors.js'

/** What a client is told about an error. `message` names no host, no path of the gateway and no secret. */
export interface Answer {
  readonly status: number
  /** Stable and searchable. */
  readonly code: string
  readonly message: string
  /** For the `Retry-After` header. */
  readonly retryAfterSeconds?: number
  /** Headers that belong to this answer. */
  readonly headers?: Readonly<Record<string, string>>
}

/** What drivers say may hold names of hosts and remote paths; clients get these sentences instead. */
const STORAGE: Record<StorageErrorCode, readonly [status: number, message: string]> = {
  NOT_FOUND: [404, 'There is no such file or folder.'],
  ALREADY_EXISTS: [409, 'Something with this name exists already.'],
  NOT_A_DIRECTORY: [409, 'A file is where a folder was meant.'],
  IS_A_DIRECTORY: [405, 'A folder is where a file was meant.'],
  NOT_EMPTY: [409, 'The folder is not empty.'],
  DENIED: [403, 'The server does not permit this.'],
  NO_SPACE: [507, 'The server has no space left for this.'],
  INVALID_NAME: [400, 'The server cannot hold a file of this name.'],
  UNSUPPORTED: [501, 'The server cannot do this.'],
  LOGIN_REJECTED: [403, 'The server refused the login that is stored for you. An administrator can renew it.'],
  UNTRUSTED: [502, 'The server could not prove who it is.'],
  UNREACHABLE: [502, 'The server cannot be reached.'],
  TIMED_OUT: [504, 'The server did not answer in time.'],
  BUSY: [503, 'The server has no connection free. Try again shortly.'],
  UNAVAILABLE: [503, 'The server has been failing and rests for a moment. Try again shortly.'],
  CONNECTION_LOST: [502, 'The connection to the server broke.'],
  PROTOCOL: [502, 'The server gave an answer that makes no sense.'],
  TOO_LARGE: [507, 'The folder holds more than can be listed.'],
  OVERLOADED: [503, 'The gateway is at its limit. Try again shortly.'],
  ABORTED: [499, 'The request was given up.'],
}

const VFS: Record<VfsErrorCode, number> = {
  BAD_PATH: 400,
  NO_SUCH_PATH: 404,
  PARENT_MISSING: 409,
  MOUNT_IS_FIXED: 403,
  READ_ONLY: 403,
  TARGET_EXISTS: 412,
  OVERLAP: 403,
  IS_COLLECTION: 405,
  IS_SYMLINK: 409,
  LOCKED: 423,
  LOCK_CONFLICT: 423,
  NO_SUCH_LOCK: 409,
  NOT_LOCK_OWNER: 403,
  TOO_MANY_LOCKS: 507,
  PRECONDITION_FAILED: 412,
  CHANGED: 503,
  SHORT_BODY: 400,
  TOO_LARGE: 507,
  TOO_MANY_ITEMS: 507,
  REVOKED: 403,
  ENDED: 403,
}

/** Only administrators meet these, and need the words: they hold no secret. */
const PROVISION: Record<ProvisionErrorCode, number> = {
  UNREACHABLE: 502,
  UNTRUSTED: 502,
  LOGIN_REJECTED: 403,
  DENIED: 403,
  NAME_TAKEN: 409,
  NO_ACCOUNT: 404,
  REFUSED: 403,
  TOOL_MISSING: 501,
  UNSUPPORTED: 501,
  PROTOCOL: 502,
  TIMED_OUT: 504,
  ABORTED: 499,
}

/**
 * Codes that say: not now. Of the database, and of Node for a process without a file descriptor left.
 */
const OVERLOAD = new Set(['DATABASE_BUSY', 'DATABASE_UNAVAILABLE', 'EMFILE', 'ENFILE'])

/** The one table from errors to what HTTP says. Anything unknown is 500 and keeps its details to the log. */
export function answerFor(error: unknown): Answer {
  if (error instanceof HttpError) {
    return { status: error.status, code: error.code, message: error.message, headers: error.headers }
  }
  if (error instanceof StorageError) return answerForStorage(error)
  if (error instanceof VfsError) {
    const answer = { status: VFS[error.code], code: error.code, message: error.message }
    return answer.status === 503 ? { ...answer, retryAfterSeconds: 1 } : answer
  }
  if (error instanceof ProvisionError)
    return { status: PROVISION[error.code], code: error.code, message: error.message }
  if (error instanceof ValidationError) return { status: 400, code: error.code, message: error.message }
  if (error instanceof UnknownObjectError) return { status: 404, code: error.code, message: error.message }
  if (error instanceof ConflictError) return { status: 409, code: error.code, message: error.message }
  if (isOverload(error)) {
    return {
      status: 503,
      code: 'OVERLOADED',
      message: 'The gateway is at its limit. Try again shortly.',
      retryAfterSeconds: 5,
    }
  }
  return { status: 500, code: 'INTERNAL', message: 'The gateway failed. The log has the details.' }
}

function answerForStorage(error: StorageError): Answer {
  const [status, message] = STORAGE[error.code]
  const code = error.code === 'LOGIN_REJECTED' ? 'REMOTE_CREDENTIALS' : error.code
  if (status !== 503) return { status, code, message }
  const seconds = Math.ceil(error.retryAfterSeconds ?? 2)
  return { status, code, message, retryAfterSeconds: Math.min(60, Math.max(1, seconds)) }
}

function isOverload(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && OVERLOAD.has(error.code)
}

/** macOS takes any 5xx but 507 for "the file is gone" and forgets it; 423 reads as "in use" and is tried again. */
export function answerForClient(answer: Answer, userAgent: string | undefined): Answer {
  if (answer.status < 500 || answer.status === 507) return answer
  return userAgent?.startsWith('WebDAVFS/') ? { ...answer, status: 423 } : answer
}
