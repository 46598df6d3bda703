import { setTimeout as delay } from 'node:timers/promises'
import { parsePasswd, type PasswdEntry } from './passwd.js'
import { ProvisionError } from './provision-error.js'
import type { ProvisionerCall } from './provisioner.js'
import { RemoteFile } from './remote-file.js'
import { failure, type Tools } from './tools.js'

const LOCK_DEADLINE = 20_000
const LOCK_RETRY = 100
/** Minutes of the server's clock after which whoever held the lock is taken for dead. No step takes that long. */
const LOCK_STALE = 5

/**
 * A text file with one account or group on each line, on a server. Read whole, changed under a lock that is a folder beside
 * it, and replaced whole with its owner and mode kept.
 */
export class AccountFile {
  readonly #file: RemoteFile
  readonly #lock: string

  constructor(
    private readonly tools: Tools,
    readonly path: string,
  ) {
    this.#file = new RemoteFile(tools, path)
    this.#lock = `${path}.ftpcluster-lock`
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

  /** Replaces the file by what `change` makes of it, unless that is the same. Only under the lock. */
  async edit(change: (text: string) => string, call: ProvisionerCall): Promise<void> {
    const before = await this.read(call)
    const after = change(before)
    if (after === before) return
    // Somebody without the lock, such as an editor, may have been here.
    if ((await this.read(call)) !== before) {
      throw new ProvisionError('PROTOCOL', `${this.path} was changed by somebody else at the same moment.`)
    }
    await this.#file.replace(after, { like: this.path }, call)
  }

  /** One at a time, whichever gateway it is. @throws TIMED_OUT when the lock is held all the while */
  async locked<T>(call: ProvisionerCall, body: () => Promise<T>): Promise<T> {
    await this.#acquire(call)
    try {
      return await body()
    } finally {
      // Without the signal: the lock must go also when the step was stopped. A lock that stays is broken when it is stale.
      await this.tools.asRoot(['rmdir', '--', this.#lock]).catch(() => undefined)
    }
  }

  async #acquire(call: ProvisionerCall): Promise<void> {
    const argv = ['mkdir', '--', this.#lock]
    const until = AbortSignal.timeout(LOCK_DEADLINE)
    for (;;) {
      const result = await this.tools.asRoot(argv, call)
      if (result.code === 0) return
      if (!/file exists/i.test(result.stderr)) throw failure(argv, result)
      const stale = ['find', this.#lock, '-maxdepth', '0', '-mmin', `+${LOCK_STALE}`]
      if ((await this.tools.asRoot(stale, call)).stdout !== '') {
        await this.tools.asRoot(['rmdir', '--', this.#lock], call)
        continue
      }
      if (until.aborted) {
        throw new ProvisionError('TIMED_OUT', `Somebody else has been changing ${this.path} for ${LOCK_DEADLINE} ms.`)
      }
      await delay(LOCK_RETRY)
    }
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
