import { StorageError, type StorageErrorCode } from '../errors.js'

/** Status codes of SFTP version 3 (draft-ietf-secsh-filexfer-02 section 7) that are told apart by name. */
export const SFTP_STATUS = { NO_SUCH_FILE: 2, PERMISSION_DENIED: 3, FAILURE: 4 } as const

/** A request that the server answered with a status other than OK. The conversation is in order. */
export class SftpStatusError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
    this.name = 'SftpStatusError'
  }
}

/**
 * What a status means whatever was asked. From 9 on they are codes of later versions (filexfer-13 section 9.1) that some
 * servers send in version 3. FAILURE (4) says nothing: `sftp-diagnosis.ts` looks before this table is asked.
 */
const MEANING: Readonly<Record<number, StorageErrorCode>> = {
  2: 'NOT_FOUND',
  3: 'DENIED',
  // OpenSSH: EINVAL and ENAMETOOLONG (sftp-server.c, errno_to_portable).
  5: 'INVALID_NAME',
  8: 'UNSUPPORTED',
  10: 'NOT_FOUND',
  11: 'ALREADY_EXISTS',
  12: 'DENIED',
  14: 'NO_SPACE',
  15: 'NO_SPACE',
  18: 'NOT_EMPTY',
  19: 'NOT_A_DIRECTORY',
  20: 'INVALID_NAME',
  24: 'IS_A_DIRECTORY',
}

const TEXT: Partial<Record<StorageErrorCode, string>> = {
  NOT_FOUND: 'There is no such file or folder.',
  DENIED: 'The server does not permit this.',
  INVALID_NAME: 'The server cannot hold such a name.',
  UNSUPPORTED: 'The server cannot do this.',
  ALREADY_EXISTS: 'Something with this name exists already.',
  NO_SPACE: 'The server has no space left.',
  NOT_EMPTY: 'The folder is not empty.',
  NOT_A_DIRECTORY: 'This is not a folder.',
  IS_A_DIRECTORY: 'This is a folder.',
}

/** The error of `code` in its usual words, raised by an answer of the server: the connection is in step. */
export function answered(code: StorageErrorCode, cause?: unknown): StorageError {
  return new StorageError(code, TEXT[code] ?? 'The server failed.', { inStep: true, cause })
}

/** Translates what a request rejected with; anything but a status is passed through. */
export function translateStatus(error: unknown): unknown {
  if (!(error instanceof SftpStatusError)) return error
  const code = MEANING[error.status]
  if (code) return answered(code, error)
  if (/no space|disk (is )?full|quota/i.test(error.message)) return answered('NO_SPACE', error)
  return new StorageError('PROTOCOL', `The server answered with failure (SFTP status ${error.status}).`, {
    inStep: true,
    cause: error,
  })
}

export function isStatus(error: unknown, ...statuses: number[]): error is SftpStatusError {
  return error instanceof SftpStatusError && (statuses.length === 0 || statuses.includes(error.status))
}

export function connectionLost(cause?: unknown): StorageError {
  return new StorageError('CONNECTION_LOST', 'The connection to the server broke.', { cause })
}

export function timedOut(milliseconds: number): StorageError {
  return new StorageError('TIMED_OUT', `The server did not answer within ${milliseconds} ms.`)
}

/** `inStep`: whether nothing is left that the server has yet to answer in a way that matters. */
export function abortedBy(signal: AbortSignal | undefined, inStep: boolean): StorageError {
  return new StorageError('ABORTED', 'The operation was stopped.', { cause: signal?.reason, inStep })
}
