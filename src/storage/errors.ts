import { AppError } from '../errors.js'

/**
 * What can go wrong on a server, in one closed set. Drivers translate into it where an error enters; nothing above
 * `storage/` ever sees a code of FTP or SFTP.
 */
export type StorageErrorCode =
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'NOT_A_DIRECTORY'
  | 'IS_A_DIRECTORY'
  | 'NOT_EMPTY'
  | 'DENIED'
  /** Disk or quota full, or a file above the server's size limit. */
  | 'NO_SPACE'
  /** A name that the server cannot hold or that must never reach it (control characters, not encodable). */
  | 'INVALID_NAME'
  | 'UNSUPPORTED'
  /** The server refused the login. Not tried again for a good while, unless the secret changes. */
  | 'LOGIN_REJECTED'
  /** Host key or certificate does not match what is trusted. No credential was sent. */
  | 'UNTRUSTED'
  /** Refused, no route, unknown host, or the connection could not be set up. */
  | 'UNREACHABLE'
  /** A deadline passed: connecting, waiting for a reply, or no progress while bytes were due. */
  | 'TIMED_OUT'
  /** Too many connections: the server said so, or no connection came free in time. */
  | 'BUSY'
  /** The breaker is open: the server failed lately and is not asked again before `retryAfterSeconds`. */
  | 'UNAVAILABLE'
  /** An established connection broke. */
  | 'CONNECTION_LOST'
  /** The server said something that makes no sense; a listing that cannot be read whole, a short transfer. */
  | 'PROTOCOL'
  /** More than a bound allows, e.g. a listing. */
  | 'TOO_LARGE'
  /** The gateway has no file descriptor left for one more connection. Nothing is known of the server. */
  | 'OVERLOADED'
  /** The caller's signal fired. */
  | 'ABORTED'

export interface StorageErrorOptions {
  readonly cause?: unknown
  /** True when the conversation with the server is in order, so that the connection may serve the next operation. */
  readonly inStep?: boolean
  readonly retryAfterSeconds?: number
  /** Connecting: the server had answered and is the one that is trusted; what failed is this login. */
  readonly reached?: boolean
}

export class StorageError extends AppError {
  /** False unless whoever raised the error knows that the connection may be used again. */
  readonly inStep: boolean
  readonly retryAfterSeconds: number | undefined
  /** False unless whoever raised the error knows that the server itself is fine. */
  readonly reached: boolean

  constructor(
    readonly code: StorageErrorCode,
    message: string,
    options: StorageErrorOptions = {},
  ) {
    super(message, options)
    this.inStep = options.inStep ?? false
    this.retryAfterSeconds = options.retryAfterSeconds
    this.reached = options.reached ?? false
  }
}

/** Whether `error` is a storage error, of one of `codes` when any are given. */
export function isStorageError(error: unknown, ...codes: StorageErrorCode[]): error is StorageError {
  return error instanceof StorageError && (codes.length === 0 || codes.includes(error.code))
}

/** For drivers: the same error, raised after the server was reached and trusted. */
export function atLogin(thrown: unknown): StorageError {
  if (!(thrown instanceof StorageError)) {
    return new StorageError('PROTOCOL', 'The login could not be completed.', { cause: thrown, reached: true })
  }
  const { code, message, cause, inStep, retryAfterSeconds } = thrown
  return new StorageError(code, message, {
    cause,
    inStep,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    reached: true,
  })
}
