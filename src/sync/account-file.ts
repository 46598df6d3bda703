import { FileLock, type HeldLock } from './file-lock.js'
import { parsePasswd, type PasswdEntry } from './passwd.js'
import { ProvisionError } from './provision-error.js'
import type { ProvisionerCall } from './provisioner.js'
import { RemoteFile } from './remote-file.js'
import { failure, type Tools } from './tools.js'

/**
 * A text file with one account or group on each line, on a server. Read whole, changed under a lock and replaced whole, with
 * its owner and mode kept.
 */
export class AccountFile {
  readonly #lock: FileLock

  /** @param owner as in `FileLock` */
  constructor(
    private readonly tools: Tools,
    readonly path: string,
    owner: string | undefined,
  ) {
    this.#lock = new FileLock(tools, path, owner)
  }

  /** @throws UNSUPPORTED when there is no such file */
  async read(call: ProvisionerCall): Promise<string> {
    const argv = ['cat', '--', this.path]
    const result = await this.tools.asRoot(argv, call)
    if (result.code === 0) return result.stdout
    if (/no such file/i.test(result.stderr)) {
      throw new ProvisionError('UNSUPPORTED', `The file ${this.path} is not on the server.`)
    }
    throw failure(argv, result)
  }

  /** One at a time, whichever gateway it is. @throws TIMED_OUT when somebody else holds the lock all the while */
  locked<T>(call: ProvisionerCall, body: (file: LockedFile) => Promise<T>): Promise<T> {
    return this.#lock.hold(call, (held) => body(new LockedFile(this.tools, this, held)))
  }
}

/** The file while its lock is held: who loses the lock changes nothing any more. */
export class LockedFile {
  readonly #file: RemoteFile

  constructor(
    private readonly tools: Tools,
    private readonly file: AccountFile,
    private readonly held: HeldLock,
  ) {
    this.#file = new RemoteFile(tools, file.path)
  }

  /** Replaces the file by what `change` makes of it, unless that is the same. */
  async edit(change: (text: string) => string, call: ProvisionerCall): Promise<void> {
    const before = await this.file.read(call)
    const after = change(before)
    if (after === before) return
    await this.#assertStill(before, call)
    await this.#file.replace(after, { like: this.file.path }, call, this.held)
  }

  /** Replaces the file by a copy of it that `change` was given the path of. */
  async editCopy(change: (copy: string) => Promise<void>, call: ProvisionerCall): Promise<void> {
    const before = await this.file.read(call)
    const make = async (copy: string) => {
      await this.tools.must(['cp', '-p', '-T', '--', this.file.path, copy], call)
      await change(copy)
      await this.#assertStill(before, call)
    }
    await this.#file.replaceBy(make, call, this.held)
  }

  /** Somebody without the lock, such as an editor, may have been here. @throws PROTOCOL */
  async #assertStill(before: string, call: ProvisionerCall): Promise<void> {
    if ((await this.file.read(call)) === before) return
    throw new ProvisionError('PROTOCOL', `${this.file.path} was changed by somebody else at the same moment.`)
  }
}

/** The same text with the line of `name` replaced, added at the end, or left out (undefined). */
export function withLine(text: string, name: string, line: string | undefined): string {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const at = lines.findIndex((one) => one.startsWith(`${name}:`))
  if (line === undefined) {
    if (at >= 0) lines.splice(at, 1)
  } else if (at >= 0) lines[at] = line
  else lines.push(line)
  return lines.map((one) => `${one}\n`).join('')
}

/** `!` before a hash: it fits no password, as ftpasswd(1) and usermod(8) do it. */
export const isLocked = (hash: string): boolean => hash.startsWith('!')
export const lockedHash = (hash: string): string => (isLocked(hash) ? hash : `!${hash}`)
export const unlockedHash = (hash: string): string => hash.replace(/^!+/, '')

export function entryOf(text: string, name: string): PasswdEntry | undefined {
  return parsePasswd(text).find((entry) => entry.name === name)
}

/** One above all in use, so that no new account owns what an old one left; then the lowest gap. @throws UNSUPPORTED */
export function freeUid(entries: readonly PasswdEntry[], { from, to }: { from: number; to: number }): number {
  const used = new Set(entries.flatMap(({ uid, gid }) => [uid, gid]).filter((id) => id >= from && id <= to))
  const next = Math.max(from - 1, ...used) + 1
  if (next <= to) return next
  for (let uid = from; uid <= to; uid++) if (!used.has(uid)) return uid
  throw new ProvisionError('UNSUPPORTED', `No uid from ${from} to ${to} is free.`)
}
