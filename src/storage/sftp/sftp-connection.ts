import type { Stats } from 'ssh2'
import type SftpClient from 'ssh2-sftp-client'
import { LISTING_PATIENCE, type Connection, type Deadlines, type OperationOptions } from '../driver.js'
import { StorageError } from '../errors.js'
import { assertSegment, nameOf } from '../remote-path.js'
import { isLink, toEntry } from './sftp-attributes.js'
import { copyFile } from './sftp-copy.js'
import {
  explainMakeDirectory,
  explainRemoveDirectory,
  explainRemoveFile,
  explainRename,
  fileSystemInfo,
} from './sftp-diagnosis.js'
import { connectionLost, isStatus, translateStatus } from './sftp-errors.js'
import { listDirectory } from './sftp-list.js'
import { FileToRead } from './sftp-open.js'
import { readFile } from './sftp-read.js'
import type { SftpSession } from './sftp-session.js'
import { writeFile } from './sftp-write.js'

/** The last second that version 3 can say. */
const LAST_SECOND = 0xffffffff

/** A connection over a session that is logged in. What the server does not offer has no method. */
export async function createSftpConnection(
  session: SftpSession,
  client: SftpClient,
  fingerprint: string | undefined,
  deadlines: Deadlines,
): Promise<Connection> {
  const { sftp } = session
  const posixRename = session.offers('posix-rename@openssh.com')
  const ask = <T>(options: OperationOptions | undefined, body: () => Promise<T>): Promise<T> =>
    session.operate(deadlines.metadata, options, body)

  const home = await realPath(session, '.')

  const connection: Connection = {
    home,
    traits: { renameReplaces: posixRename ? true : undefined, fingerprint },
    get open() {
      return session.open
    },

    async stat(path, options) {
      checkPath(path)
      return ask(options, async () => {
        const own = await translated(session.request<Stats>((answer) => sftp.lstat(path, answer)))
        if (!isLink(own)) return toEntry(nameOf(path), own, false)
        try {
          return toEntry(nameOf(path), await session.request<Stats>((answer) => sftp.stat(path, answer)), true)
        } catch (error) {
          // The link points to nothing that this account can see.
          if (isStatus(error)) return toEntry(nameOf(path), own, true)
          throw error
        }
      })
    },

    async list(path, options) {
      checkPath(path)
      // While names come, only their number takes time; silence is told from it by its own deadline.
      return session.operate(deadlines.metadata * LISTING_PATIENCE, options, async () => {
        const silence = session.watch()
        silence.arm(deadlines.metadata)
        try {
          return await listDirectory(session, path, options?.signal)
        } finally {
          silence.disarm()
        }
      })
    },

    async read(path, range, sink, options) {
      checkPath(path)
      const { opened, signal } = options ?? {}
      if (opened instanceof FileToRead) return opened.read(range, sink, signal)
      return readFile(session, path, range, sink, deadlines, signal)
    },

    async openFile(path, options) {
      checkPath(path)
      return FileToRead.open(session, path, deadlines, options)
    },

    async write(path, source, options = {}) {
      checkPath(path)
      return writeFile(session, path, source, options, deadlines)
    },

    async makeDirectory(path, options) {
      checkPath(path)
      return ask(options, () =>
        explained(
          session.request((answer) => sftp.mkdir(path, answer)),
          (error) => explainMakeDirectory(session, path, error),
        ),
      )
    },

    async removeFile(path, options) {
      checkPath(path)
      return ask(options, () =>
        explained(
          session.request((answer) => sftp.unlink(path, answer)),
          (error) => explainRemoveFile(session, path, error),
        ),
      )
    },

    async removeDirectory(path, options) {
      checkPath(path)
      return ask(options, () =>
        explained(
          session.request((answer) => sftp.rmdir(path, answer)),
          (error) => explainRemoveDirectory(session, path, error),
        ),
      )
    },

    async rename(from, to, options) {
      checkPath(from)
      checkPath(to)
      return ask(options, () =>
        explained(
          session.request((answer) =>
            posixRename ? sftp.ext_openssh_rename(from, to, answer) : sftp.rename(from, to, answer),
          ),
          (error) => explainRename(session, from, to, error),
        ),
      )
    },

    async ping(options) {
      await ask(options, () => session.request<string>((answer) => sftp.realpath('.', answer)))
    },

    close() {
      // Says goodbye where the connection still stands; the socket goes with it in any case.
      if (session.open) client.end().catch(() => undefined)
      session.end(connectionLost())
    },

    async setModified(path, modified, options) {
      checkPath(path)
      const seconds = Math.floor(modified / 1000)
      if (!(seconds >= 0 && seconds <= LAST_SECOND)) {
        throw new StorageError('UNSUPPORTED', 'SFTP cannot express this modification time.', { inStep: true })
      }
      // Both times are one field of the protocol; the access time is not worth a question first.
      return ask(options, () => translated(session.request((answer) => sftp.utimes(path, seconds, seconds, answer))))
    },

    async setMode(path, mode, options) {
      checkPath(path)
      return ask(options, () => translated(session.request((answer) => sftp.chmod(path, mode & 0o7777, answer))))
    },

    async realPath(path, options) {
      checkPath(path)
      return ask(options, async () => {
        // OpenSSH resolves the path of a missing file as well.
        const [resolved] = await Promise.all([
          realPath(session, path),
          translated(session.request<Stats>((answer) => sftp.stat(path, answer))),
        ])
        return resolved
      })
    },
  }

  if (session.offers('statvfs@openssh.com', '2')) {
    connection.freeSpace = async (path, options) => {
      checkPath(path)
      return ask(options, async () => {
        const info = await translated(fileSystemInfo(session, path))
        return { available: info.f_bavail * info.f_frsize, used: (info.f_blocks - info.f_bfree) * info.f_frsize }
      })
    }
  }
  if (session.offers('fsync@openssh.com')) {
    connection.sync = async (path, options) => {
      checkPath(path)
      return ask(options, () => translated(syncFile(session, path)))
    }
  }
  if (session.offers('copy-data')) {
    connection.copyFile = async (from, to, options) => {
      checkPath(from)
      checkPath(to)
      return copyFile(session, from, to, deadlines, options?.signal)
    }
  }
  return connection
}

/** @throws INVALID_NAME before anything is sent */
function checkPath(path: string): void {
  if (!path.startsWith('/') || !path.isWellFormed()) {
    throw new StorageError('INVALID_NAME', 'This is not a path.', { inStep: true })
  }
  if (path !== '/') path.slice(1).split('/').forEach(assertSegment)
}

async function explained<T>(work: Promise<T>, explain: (error: unknown) => Promise<unknown>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw await explain(error)
  }
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw translateStatus(error)
  }
}

async function realPath(session: SftpSession, path: string): Promise<string> {
  const resolved = await translated(session.request<string>((answer) => session.sftp.realpath(path, answer)))
  if (!resolved.startsWith('/')) {
    throw new StorageError('PROTOCOL', 'The server gave a path that is not absolute.', { inStep: true })
  }
  return resolved.length > 1 ? resolved.replace(/\/+$/, '') || '/' : resolved
}

/** The close leaves with the fsync: the server answers both in order. */
async function syncFile(session: SftpSession, path: string): Promise<void> {
  const { sftp } = session
  const handle = await session.request<Buffer>((answer) => sftp.open(path, 'r', answer))
  const [synced, closed] = await Promise.allSettled([
    session.request<unknown>((answer) => sftp.ext_openssh_fsync(handle, answer)),
    session.request((answer) => sftp.close(handle, answer)),
  ])
  if (synced.status === 'rejected') throw synced.reason
  if (closed.status === 'rejected') throw closed.reason
}
