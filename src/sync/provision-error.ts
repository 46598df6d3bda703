import { AppError } from '../errors.js'
import { isStorageError, type StorageError, type StorageErrorCode } from '../storage/errors.js'

/** What can go wrong with the accounts of a server, in one closed set. */
export type ProvisionErrorCode =
  /** No connection, or it broke: what was under way may have happened. */
  | 'UNREACHABLE'
  /** Host key or certificate is not the trusted one. No credential was sent. */
  | 'UNTRUSTED'
  /** The server refused the admin login. */
  | 'LOGIN_REJECTED'
  /** The admin login may not do this there (sudo, file modes, role). */
  | 'DENIED'
  /** A foreign account has the name, or the folder belongs to somebody else. */
  | 'NAME_TAKEN'
  /** The account is not there. */
  | 'NO_ACCOUNT'
  /** A name, an account or a folder that is never touched: reserved, uid below 1000, outside of where homes are. */
  | 'REFUSED'
  /** A program that is needed is not on the server. */
  | 'TOOL_MISSING'
  /** What the kind cannot do, or settings that do not fit this server. */
  | 'UNSUPPORTED'
  /** The server, or a program on it, said something that makes no sense here. */
  | 'PROTOCOL'
  | 'TIMED_OUT'
  | 'ABORTED'

/** Whether the same step may well succeed later, with nothing changed by anybody. */
const PASSING: readonly ProvisionErrorCode[] = ['UNREACHABLE', 'TIMED_OUT']
/** What one account alone can raise. */
const OF_ONE_ACCOUNT: readonly ProvisionErrorCode[] = ['NAME_TAKEN', 'NO_ACCOUNT', 'REFUSED', 'PROTOCOL']

export class ProvisionError extends AppError {
  constructor(
    readonly code: ProvisionErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }

  /** True where waiting may help: the server did not answer. */
  get passing(): boolean {
    return PASSING.includes(this.code)
  }

  /** True where the next account would fare no better: the rest of the server's steps may wait. */
  get ofServer(): boolean {
    return !OF_ONE_ACCOUNT.includes(this.code)
  }
}

export function isProvisionError(error: unknown, ...codes: ProvisionErrorCode[]): error is ProvisionError {
  return error instanceof ProvisionError && (codes.length === 0 || codes.includes(error.code))
}

const FROM_STORAGE: Partial<Record<StorageErrorCode, ProvisionErrorCode>> = {
  UNREACHABLE: 'UNREACHABLE',
  UNAVAILABLE: 'UNREACHABLE',
  BUSY: 'UNREACHABLE',
  CONNECTION_LOST: 'UNREACHABLE',
  UNTRUSTED: 'UNTRUSTED',
  LOGIN_REJECTED: 'LOGIN_REJECTED',
  DENIED: 'DENIED',
  UNSUPPORTED: 'UNSUPPORTED',
  TIMED_OUT: 'TIMED_OUT',
  ABORTED: 'ABORTED',
}

/** What went wrong below, in the words of this part. Anything but a storage error is passed through. */
export function fromStorage(error: unknown): unknown {
  if (!isStorageError(error)) return error
  return new ProvisionError(FROM_STORAGE[error.code] ?? 'PROTOCOL', wordsOf(error), { cause: error })
}

function wordsOf(error: StorageError): string {
  if (error.code === 'LOGIN_REJECTED') return `The server refused the admin login. ${error.message}`
  return error.message
}
