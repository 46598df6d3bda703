import type { FileEntryWithStats, Stats } from 'ssh2'
import type { StorageErrorCode } from '../errors.js'
import { parentOf } from '../remote-path.js'
import { type Attributes, typeOf } from './sftp-attributes.js'
import { answered, isStatus, SFTP_STATUS, translateStatus } from './sftp-errors.js'
import type { SftpSession } from './sftp-session.js'

/**
 * Version 3 has one status, FAILURE, for "exists already", "not empty", "is a folder" and "disk full", and servers answer
 * NO_SUCH_FILE where a file stands in place of a folder (OpenSSH, errno_to_portable: ENOTDIR). These functions look at
 * what is there and give the error that a caller can act on. They run on the way of errors only.
 */

const { NO_SUCH_FILE, PERMISSION_DENIED, FAILURE } = SFTP_STATUS

/** Less free space than one write counts as none: a full disk may keep a few blocks. */
const NEARLY_FULL = 256 * 1024

export interface FileSystemInfo {
  readonly f_bsize: number
  readonly f_frsize: number
  readonly f_blocks: number
  readonly f_bfree: number
  readonly f_bavail: number
  readonly f_files: number
  readonly f_favail: number
}

async function lookAt(session: SftpSession, path: string): Promise<Attributes | undefined> {
  try {
    return await session.request<Stats>((answer) => session.sftp.lstat(path, answer))
  } catch (error) {
    if (isStatus(error)) return undefined
    throw error
  }
}

async function follow(session: SftpSession, path: string): Promise<Attributes | undefined> {
  try {
    return await session.request<Stats>((answer) => session.sftp.stat(path, answer))
  } catch (error) {
    if (isStatus(error)) return undefined
    throw error
  }
}

export function fileSystemInfo(session: SftpSession, path: string): Promise<FileSystemInfo> {
  return session.request<FileSystemInfo>((answer) => session.sftp.ext_openssh_statvfs(path, answer))
}

/** Whether the disk under `path` is full, where the server tells. */
async function isFull(session: SftpSession, path: string): Promise<boolean> {
  if (!session.offers('statvfs@openssh.com', '2')) return false
  try {
    const info = await fileSystemInfo(session, path)
    // Some file systems count no inodes (f_files 0).
    return info.f_bavail * info.f_frsize < NEARLY_FULL || (info.f_files > 0 && info.f_favail === 0)
  } catch (error) {
    if (isStatus(error)) return false
    throw error
  }
}

async function firstTrue(
  error: unknown,
  ...questions: readonly [StorageErrorCode, () => boolean | Promise<boolean>][]
): Promise<unknown> {
  for (const [code, holds] of questions) if (await holds()) return answered(code, error)
  return translateStatus(error)
}

export async function explainList(session: SftpSession, path: string, error: unknown): Promise<unknown> {
  if (!isStatus(error, NO_SUCH_FILE, FAILURE)) return translateStatus(error)
  const found = await follow(session, path)
  return firstTrue(
    error,
    ['NOT_FOUND', () => !found],
    ['NOT_A_DIRECTORY', () => found !== undefined && typeOf(found) !== 'directory'],
  )
}

export async function explainRead(session: SftpSession, path: string, error: unknown): Promise<unknown> {
  if (!isStatus(error, PERMISSION_DENIED, FAILURE)) return translateStatus(error)
  const found = await follow(session, path)
  return firstTrue(error, ['IS_A_DIRECTORY', () => found !== undefined && typeOf(found) === 'directory'])
}

export async function explainCreate(
  session: SftpSession,
  path: string,
  exclusive: boolean,
  error: unknown,
): Promise<unknown> {
  if (!isStatus(error, PERMISSION_DENIED, FAILURE)) return translateStatus(error)
  const found = await lookAt(session, path)
  return firstTrue(
    error,
    ['ALREADY_EXISTS', () => exclusive && found !== undefined],
    ['IS_A_DIRECTORY', () => found !== undefined && typeOf(found) === 'directory'],
    ['NO_SPACE', () => isStatus(error, FAILURE) && isFull(session, parentOf(path))],
  )
}

export async function explainWrite(session: SftpSession, path: string, error: unknown): Promise<unknown> {
  if (!isStatus(error, FAILURE)) return translateStatus(error)
  return firstTrue(error, ['NO_SPACE', () => isFull(session, parentOf(path))])
}

export async function explainMakeDirectory(session: SftpSession, path: string, error: unknown): Promise<unknown> {
  if (!isStatus(error, PERMISSION_DENIED, FAILURE)) return translateStatus(error)
  const found = await lookAt(session, path)
  return firstTrue(
    error,
    ['ALREADY_EXISTS', () => found !== undefined],
    ['NO_SPACE', () => isStatus(error, FAILURE) && isFull(session, parentOf(path))],
  )
}

/** unlink(2) of a folder is EISDIR on Linux and EPERM in POSIX. */
export async function explainRemoveFile(session: SftpSession, path: string, error: unknown): Promise<unknown> {
  if (!isStatus(error, PERMISSION_DENIED, FAILURE)) return translateStatus(error)
  const found = await lookAt(session, path)
  return firstTrue(error, ['IS_A_DIRECTORY', () => found !== undefined && typeOf(found) === 'directory'])
}

export async function explainRemoveDirectory(session: SftpSession, path: string, error: unknown): Promise<unknown> {
  if (!isStatus(error, NO_SUCH_FILE, FAILURE)) return translateStatus(error)
  const found = await lookAt(session, path)
  return firstTrue(
    error,
    ['NOT_FOUND', () => !found],
    ['NOT_A_DIRECTORY', () => found !== undefined && typeOf(found) !== 'directory'],
    ['NOT_EMPTY', () => holdsSomething(session, path)],
  )
}

/** rename(2) of a folder onto a file is ENOTDIR, of a file onto a folder EISDIR. */
export async function explainRename(session: SftpSession, from: string, to: string, error: unknown): Promise<unknown> {
  if (!isStatus(error, NO_SUCH_FILE, FAILURE)) return translateStatus(error)
  const [source, target] = await Promise.all([lookAt(session, from), lookAt(session, to)])
  return firstTrue(
    error,
    ['NOT_FOUND', () => !source],
    ['ALREADY_EXISTS', () => target !== undefined],
    ['NO_SPACE', () => isStatus(error, FAILURE) && isFull(session, parentOf(to))],
  )
}

async function holdsSomething(session: SftpSession, path: string): Promise<boolean> {
  const { sftp } = session
  const handle = await session.request<Buffer>((answer) => sftp.opendir(path, answer))
  try {
    for (;;) {
      const names = await session.request<FileEntryWithStats[]>((answer) => sftp.readdir(handle, answer))
      if (names.length > 0) return true
    }
  } catch (error) {
    if (isStatus(error)) return false
    throw error
  } finally {
    if (session.open) await session.request((answer) => sftp.close(handle, answer))
  }
}
