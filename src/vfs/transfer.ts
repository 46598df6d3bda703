import type { Connection, Entry, WriteOptions } from '../storage/driver.js'
import { isStorageError, StorageError } from '../storage/errors.js'
import { joinRemote } from '../storage/remote-path.js'
import { atomicWrite } from './atomic-write.js'
import { Channel } from './channel.js'
import { VfsError } from './errors.js'
import type { FolderBudget } from './folder-budget.js'
import { lookAt } from './look-at.js'
import type { Place } from './mount-view.js'
import type { Failure } from './node.js'
import type { Call } from './tree.js'
import type { Uploads } from './uploads.js'
import { childPath } from './virtual-path.js'

/** A copy under way: what its steps share. */
export interface Copy {
  readonly uploads: Uploads
  readonly call: Call
  readonly budget: FolderBudget
  readonly failures: Failure[]
  /** Entity tags of the files that were copied, by remote path: only these may go when the source is removed. */
  readonly copied: Map<string, string | undefined>
}

/** For another copy with the same login, ms: a large file takes its time, and clients lose patience before. */
const COPY_WAITS = 10 * 60_000

/** Judges what stands at the target at the last moment, and throws to refuse. */
export type Judge = (current: Entry | undefined) => void

/**
 * Copies one file: on the server itself where it can, else as a stream from one connection to another, stored atomically.
 * @param before what stands at `to`
 * @param judge of the target; left out where nobody else knows the target's folder yet
 */
export async function copyFile(
  copy: Copy,
  from: Place,
  entry: Entry,
  to: Place,
  before: Entry | undefined,
  judge?: Judge,
): Promise<void> {
  const { parts, mount } = to.view
  const sameAccount = from.view.mount.account.key === mount.account.key
  const tag = parts.tags.of(from.key, entry)
  const run = () => storeCopy(copy, from, entry, to, before, judge)
  // Each stream holds two connections of the account: two at once could each wait for the other's second one.
  const patience = { signal: copy.call.signal, wait: COPY_WAITS }
  await (sameAccount ? parts.mutex.run(`copy\n${mount.account.key}`, run, patience) : run())
  copy.copied.set(from.key.path, tag)
}

function storeCopy(
  copy: Copy,
  from: Place,
  entry: Entry,
  to: Place,
  before: Entry | undefined,
  judge: Judge | undefined,
): Promise<Entry> {
  const { signal } = copy.call
  const { mount, parts } = to.view
  const { account } = mount
  const sameAccount = from.view.mount.account.key === account.key
  const store = (connection: Connection, path: string, options: WriteOptions) =>
    sameAccount
      ? copyThere(connection, from, entry, path, options, copy.call)
      : stream(connection, from, path, options, copy.call)
  let replacing = false
  const recheck = async (connection: Connection) => {
    const current = judge === undefined ? before : await lookAt(connection, to.key.path)
    judge?.(current)
    replacing = true
    return current
  }
  const placed = (stored: Entry) => {
    parts.cache.written(to.key, stored)
    parts.tags.saved(to.key, before, stored)
  }
  const { size, modified } = entry
  // Within one account this connection counts as metadata: transfers may not take the last two.
  return parts.connections.use(
    account,
    sameAccount ? 'metadata' : 'transfer',
    (connection) =>
      atomicWrite(copy.uploads, connection, { place: to, store, size, modified, before, recheck, placed }, signal),
    // Until the rename nothing has happened but a temporary file, which goes.
    { signal, repeatable: () => !replacing },
  )
}

async function copyThere(
  connection: Connection,
  from: Place,
  entry: Entry,
  path: string,
  options: WriteOptions,
  call: Call,
): Promise<number> {
  if (connection.copyFile !== undefined) {
    try {
      await connection.copyFile(from.key.path, path, options)
      call.onBytes?.(entry.size)
      return entry.size
    } catch (error) {
      if (!isStorageError(error, 'UNSUPPORTED') || !error.inStep) throw error
    }
  }
  return stream(connection, from, path, options, call)
}

async function stream(
  target: Connection,
  from: Place,
  path: string,
  options: WriteOptions,
  { onBytes }: Call,
): Promise<number> {
  const { signal } = options
  const channel = new Channel()
  const { parts, mount } = from.view
  const reading = parts.connections
    .use(mount.account, 'transfer', (source) => source.read(from.key.path, undefined, channel.sink, { signal }), {
      signal,
    })
    .then(
      () => channel.end(),
      (error: unknown) => channel.fail(error),
    )
  try {
    return await target.write(path, counted(channel.chunks, onBytes), options)
  } finally {
    channel.close()
    await reading
  }
}

async function* counted(chunks: AsyncIterable<Buffer>, onBytes: Call['onBytes']): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk
    onBytes?.(chunk.length)
  }
}

/**
 * Copies a folder with its members to a name where nothing stands. Members that cannot be copied go into `failures` and
 * the rest goes on; symbolic links to folders are left out as failures, since following them may never end.
 */
export async function copyFolder(copy: Copy, from: Place, to: Place, deep: boolean): Promise<void> {
  copy.budget.spend()
  // Before the target is made: it may lie in the same folder under another server's name.
  const members = deep ? await from.view.folder(from, { ...copy.call, fresh: true }) : undefined
  await makeTarget(copy, to)
  for (const entry of members?.entries.values() ?? []) {
    const source = below(from, entry.name)
    try {
      await copyMember(copy, source, entry, below(to, entry.name))
    } catch (error) {
      if (!isStorageError(error) || copy.call.signal.aborted) throw error
      copy.failures.push({ path: source.path, error })
    }
  }
}

async function makeTarget(copy: Copy, to: Place): Promise<void> {
  const { view, key } = to
  try {
    await view.makeDirectory(to, copy.call)
  } catch (error) {
    if (!isStorageError(error, 'ALREADY_EXISTS')) throw error
    throw new VfsError('TARGET_EXISTS', 'Something came to stand at the target meanwhile.', { cause: error })
  } finally {
    view.parts.cache.forget(key)
  }
}

async function copyMember(copy: Copy, from: Place, entry: Entry, to: Place): Promise<void> {
  if (entry.type === 'directory' && !entry.symlink) return copyFolder(copy, from, to, true)
  copy.budget.spend()
  if (entry.type !== 'file') {
    const message = 'Only files and folders can be copied, not what links elsewhere.'
    throw new StorageError('UNSUPPORTED', message, { inStep: true })
  }
  await copyFile(copy, from, entry, to, undefined)
}

export function below(place: Place, name: string): Place {
  const { view, key, path } = place
  return { view, key: { ...key, path: joinRemote(key.path, name) }, path: childPath(path, name) }
}
