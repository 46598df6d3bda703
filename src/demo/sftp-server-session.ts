import { constants, type Stats } from 'node:fs'
import * as fs from 'node:fs/promises'
import { posix } from 'node:path'
import type { Attributes, FileEntry, SFTPWrapper } from 'ssh2'
import type { JailedFolder } from './jailed-folder.js'
import { readStrings, replyExtended, uint64 } from './sftp-server-wire.js'

/** Status codes of version 3 (draft-ietf-secsh-filexfer-02 section 7). */
const STATUS = { OK: 0, EOF: 1, NO_SUCH_FILE: 2, PERMISSION_DENIED: 3, FAILURE: 4, BAD_MESSAGE: 5, UNSUPPORTED: 8 }

/** The same table as OpenSSH's (sftp-server.c, errno_to_portable). */
const ERRNO: Readonly<Record<string, number>> = {
  ENOENT: STATUS.NO_SUCH_FILE,
  ENOTDIR: STATUS.NO_SUCH_FILE,
  EBADF: STATUS.NO_SUCH_FILE,
  ELOOP: STATUS.NO_SUCH_FILE,
  EPERM: STATUS.PERMISSION_DENIED,
  EACCES: STATUS.PERMISSION_DENIED,
  ENAMETOOLONG: STATUS.BAD_MESSAGE,
  EINVAL: STATUS.BAD_MESSAGE,
  ENOSYS: STATUS.UNSUPPORTED,
}

const PFLAGS = { READ: 1, WRITE: 2, APPEND: 4, CREAT: 8, TRUNC: 16, EXCL: 32 }
const NAMES_PER_ANSWER = 100

export type SftpOperation =
  | 'OPEN'
  | 'CLOSE'
  | 'READ'
  | 'WRITE'
  | 'LSTAT'
  | 'STAT'
  | 'FSTAT'
  | 'SETSTAT'
  | 'FSETSTAT'
  | 'OPENDIR'
  | 'READDIR'
  | 'REMOVE'
  | 'MKDIR'
  | 'RMDIR'
  | 'REALPATH'
  | 'RENAME'
  | 'READLINK'
  | 'SYMLINK'
  | 'EXTENDED'

/** A request as it arrives. `path` where the request names one. */
export interface SftpRequest {
  readonly operation: SftpOperation
  readonly path: string | undefined
  readonly username: string
}

export interface SessionOptions {
  readonly username: string
  readonly extensions: ReadonlyMap<string, string>
  /** Bytes that one READ is answered with at most. */
  readonly maxRead: number
  /** Asked before each request; a status code it gives is the answer. */
  readonly intercept: ((request: SftpRequest) => number | void | Promise<number | void>) | undefined
  readonly wishedHandle: (() => number) | undefined
  /** Told how the number of open handles changes. */
  readonly onHandles: (change: 1 | -1) => void
}

type Handle =
  | { readonly kind: 'file'; readonly file: fs.FileHandle; readonly append: boolean }
  | { readonly kind: 'directory'; readonly local: string; names: string[] }

/** Serves one SFTP channel from a folder, one request after the other as OpenSSH does. */
export function serveSftp(sftp: SFTPWrapper, folder: JailedFolder, options: SessionOptions): void {
  const handles = new Map<number, Handle>()
  let queue: Promise<void> = Promise.resolve()
  let over = false

  const on = (operation: SftpOperation, run: (id: number, ...fields: never[]) => Promise<void>) => {
    sftp.on(operation as string, (id: number, ...fields: never[]) => {
      const path = typeof fields[0] === 'string' ? (fields[0] as string) : undefined
      queue = queue.then(async () => {
        if (over) return
        try {
          const status = await options.intercept?.({ operation, path, username: options.username })
          if (typeof status === 'number') sftp.status(id, status)
          else await run(id, ...fields)
        } catch (error) {
          sftp.status(id, statusOf(error))
        }
      })
    })
  }
  /** The lowest that is free, as OpenSSH does. */
  const lowestFree = () => {
    let number = 0
    while (handles.has(number)) number++
    return number
  }
  const add = (handle: Handle): Buffer => {
    const wished = options.wishedHandle?.()
    const number = wished === undefined || handles.has(wished) ? lowestFree() : wished
    handles.set(number, handle)
    options.onHandles(1)
    const name = Buffer.alloc(4)
    name.writeUInt32BE(number)
    return name
  }
  const find = (name: Buffer): Handle => {
    const handle = name.length === 4 ? handles.get(name.readUInt32BE()) : undefined
    if (!handle) throw errno('EBADF')
    return handle
  }
  const fileOf = (name: Buffer): Handle & { kind: 'file' } => {
    const handle = find(name)
    if (handle.kind !== 'file') throw errno('EBADF')
    return handle
  }
  const drop = async (number: number, handle: Handle) => {
    handles.delete(number)
    options.onHandles(-1)
    if (handle.kind === 'file') await handle.file.close()
  }
  const ok = (id: number) => sftp.status(id, STATUS.OK)

  on('OPEN', async (id, path: string, pflags: number, attributes: Partial<Attributes>) => {
    const local = await folder.target(path)
    const file = await fs.open(local, openFlags(pflags), (attributes.mode ?? 0o666) & 0o7777)
    if (over) await file.close()
    else sftp.handle(id, add({ kind: 'file', file, append: (pflags & PFLAGS.APPEND) !== 0 }))
  })
  on('CLOSE', async (id, name: Buffer) => {
    await drop(name.readUInt32BE(), find(name))
    ok(id)
  })
  on('READ', async (id, name: Buffer, offset: number, length: number) => {
    const buffer = Buffer.allocUnsafe(Math.min(length, options.maxRead))
    const { bytesRead } = await fileOf(name).file.read(buffer, 0, buffer.length, offset)
    if (bytesRead === 0) sftp.status(id, STATUS.EOF)
    else sftp.data(id, buffer.subarray(0, bytesRead))
  })
  on('WRITE', async (id, name: Buffer, offset: number, data: Buffer) => {
    const { file, append } = fileOf(name)
    for (let done = 0; done < data.length;) {
      done += (await file.write(data, done, data.length - done, append ? null : offset + done)).bytesWritten
    }
    ok(id)
  })
  on('LSTAT', async (id, path: string) => sftp.attrs(id, toAttributes(await fs.lstat(await folder.own(path)))))
  on('STAT', async (id, path: string) => sftp.attrs(id, toAttributes(await fs.stat(await folder.target(path)))))
  on('FSTAT', async (id, name: Buffer) => sftp.attrs(id, toAttributes(await fileOf(name).file.stat())))
  on('SETSTAT', async (id, path: string, attributes: Partial<Attributes>) => {
    const local = await folder.target(path)
    if (attributes.size !== undefined) await fs.truncate(local, attributes.size)
    if (attributes.mode !== undefined) await fs.chmod(local, attributes.mode & 0o7777)
    if (attributes.atime !== undefined) await fs.utimes(local, attributes.atime, attributes.mtime ?? attributes.atime)
    ok(id)
  })
  on('FSETSTAT', async (id, name: Buffer, attributes: Partial<Attributes>) => {
    const { file } = fileOf(name)
    if (attributes.size !== undefined) await file.truncate(attributes.size)
    if (attributes.mode !== undefined) await file.chmod(attributes.mode & 0o7777)
    if (attributes.atime !== undefined) await file.utimes(attributes.atime, attributes.mtime ?? attributes.atime)
    ok(id)
  })
  on('OPENDIR', async (id, path: string) => {
    const local = await folder.target(path)
    sftp.handle(id, add({ kind: 'directory', local, names: ['.', '..', ...(await fs.readdir(local))] }))
  })
  on('READDIR', async (id, name: Buffer) => {
    const handle = find(name)
    if (handle.kind !== 'directory') throw errno('EBADF')
    const entries: FileEntry[] = []
    while (entries.length === 0 && handle.names.length > 0) {
      for (const filename of handle.names.splice(0, NAMES_PER_ANSWER)) {
        const local = filename === '..' ? handle.local : posix.join(handle.local, filename)
        const stats = await fs.lstat(local).catch(gone)
        if (stats) entries.push({ filename, longname: longName(filename, stats), attrs: toAttributes(stats) })
      }
    }
    if (entries.length === 0) sftp.status(id, STATUS.EOF)
    else sftp.name(id, entries)
  })
  on('REMOVE', async (id, path: string) => {
    await fs.unlink(await folder.own(path))
    ok(id)
  })
  on('MKDIR', async (id, path: string, attributes: Partial<Attributes>) => {
    await fs.mkdir(await folder.own(path), (attributes.mode ?? 0o777) & 0o7777)
    ok(id)
  })
  on('RMDIR', async (id, path: string) => {
    await fs.rmdir(await folder.own(path))
    ok(id)
  })
  on('REALPATH', async (id, path: string) => {
    const clean = posix.resolve('/', path)
    const found = await folder.target(clean).then((local) => folder.outer(local))
    sftp.name(id, [{ filename: found, longname: found, attrs: {} as Attributes }])
  })
  on('RENAME', async (id, from: string, to: string) => {
    const target = await folder.own(to)
    // Section 6.5: an error when the new name exists.
    if (await fs.lstat(target).catch(gone)) throw errno('EEXIST')
    await fs.rename(await folder.own(from), target)
    ok(id)
  })
  on('READLINK', async (id, path: string) => {
    const text = await fs.readlink(await folder.own(path))
    const shown = posix.isAbsolute(text) ? folder.outer(text) : text
    sftp.name(id, [{ filename: shown, longname: shown, attrs: {} as Attributes }])
  })
  // OpenSSH's order of the two, which every client follows: the target first.
  on('SYMLINK', async (id, target: string, link: string) => {
    const local = await folder.own(link)
    const inside = posix.isAbsolute(target)
      ? posix.relative(posix.dirname(posix.resolve('/', link)), posix.resolve('/', target))
      : target
    await fs.symlink(inside, local)
    ok(id)
  })
  on('EXTENDED', async (id, name: string, data: Buffer | undefined) => {
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = readStrings(data ?? Buffer.alloc(0))
    if (!options.extensions.has(name)) throw errno('ENOSYS')
    switch (name) {
      case 'posix-rename@openssh.com':
        await fs.rename(await folder.own(first.toString()), await folder.own(second.toString()))
        ok(id)
        break
      case 'fsync@openssh.com':
        await fileOf(first).file.sync()
        ok(id)
        break
      case 'statvfs@openssh.com': {
        const { bsize, blocks, bfree, bavail, files, ffree } = await fs.statfs(await folder.target(first.toString()))
        const fields = [bsize, bsize, blocks, bfree, bavail, files, ffree, ffree, 0, 0, 255]
        replyExtended(sftp, id, ...fields.map(uint64))
        break
      }
      default:
        throw errno('ENOSYS')
    }
  })

  const end = () => {
    over = true
    // A request under way may hold a file longer: closing it waits for that.
    for (const [number, handle] of [...handles]) drop(number, handle).catch(() => undefined)
  }
  sftp.on('end', end)
  sftp.on('close', end)
  sftp.on('error', end)
}

function errno(code: string): Error {
  return Object.assign(new Error(code), { code })
}

function gone(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}

function statusOf(error: unknown): number {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return ERRNO[code] ?? STATUS.FAILURE
}

function openFlags(pflags: number): number {
  const has = (flag: number) => (pflags & flag) !== 0
  const access = has(PFLAGS.WRITE) ? (has(PFLAGS.READ) ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY
  return (
    access |
    (has(PFLAGS.APPEND) ? constants.O_APPEND : 0) |
    (has(PFLAGS.CREAT) ? constants.O_CREAT : 0) |
    (has(PFLAGS.TRUNC) ? constants.O_TRUNC : 0) |
    (has(PFLAGS.EXCL) ? constants.O_EXCL : 0)
  )
}

function toAttributes(stats: Stats): Attributes {
  const { mode, uid, gid, size, atimeMs, mtimeMs } = stats
  return { mode, uid, gid, size, atime: Math.floor(atimeMs / 1000), mtime: Math.floor(mtimeMs / 1000) }
}

/** As `ls -l` shows it; some clients read the type from here. */
function longName(name: string, stats: Stats): string {
  const type = stats.isDirectory() ? 'd' : stats.isSymbolicLink() ? 'l' : '-'
  const bits = [...'rwxrwxrwx'].map((letter, index) => (stats.mode & (0o400 >> index) ? letter : '-')).join('')
  const date = stats.mtime.toISOString().slice(0, 10)
  return `${type}${bits} ${stats.nlink} ${stats.uid} ${stats.gid} ${stats.size} ${date} ${name}`
}
