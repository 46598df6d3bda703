import type { Connection, Entry } from '../storage/driver.js'
import { joinRemote, nameOf, parentOf } from '../storage/remote-path.js'
import { VfsError } from './errors.js'
import { mutexKey } from './keyed-mutex.js'
import { lookAt } from './look-at.js'
import type { Place } from './mount-view.js'
import type { Failure } from './node.js'
import { replaceByRename } from './replace.js'
import { temporaryName } from './temporary-name.js'
import { copyFile, copyFolder, type Copy, type Judge } from './transfer.js'

interface Located {
  readonly place: Place
  readonly entry: Entry
}

interface Target {
  readonly place: Place
  /** What stands there. */
  readonly entry: Entry | undefined
  /** May what stands there now be replaced? */
  readonly judge: Judge
}

/**
 * Copies or moves a file or folder, with its dead properties. What stands at the target stays whole until the new one is:
 * a folder is built beside it under a temporary name. The source of a move goes only after everything has arrived, and
 * only what was copied and has not changed since. What fails inside a folder ends up in `copy.failures`; then a replaced
 * target and the source of a move stay as they were.
 */
export async function relocate(
  kind: 'copy' | 'move',
  copy: Copy,
  source: Located,
  target: Target,
  deep: boolean,
  removeCopied: () => Promise<Failure[]>,
): Promise<void> {
  const sameAccount = source.place.view.mount.account.key === target.place.view.mount.account.key
  if (kind === 'move' && sameAccount) return renameAcross(copy, source, target)
  if (kind === 'move') await assertElsewhere(copy, source.place, target)

  const { properties } = target.place.view.parts
  if (source.entry.type === 'directory') await placeFolder(copy, source.place, target, deep)
  else await placeFile(copy, source, target)
  await properties.copy(source.place.key, target.place.key, deep)
  if (kind === 'move' && copy.failures.length === 0) copy.failures.push(...(await removeCopied()))
}

/** A move within one login: the server's own rename. */
async function renameAcross({ uploads, call }: Copy, source: Located, target: Target): Promise<void> {
  const { parts, mount } = target.place.view
  const { cache, locks, properties, tags } = parts
  const from = source.place.key
  const to = target.place.key
  let begun = false
  const rename = async (connection: Connection) => {
    const replaced = await lookAt(connection, to.path)
    target.judge(replaced)
    begun = true
    const replacement = { place: target.place, from: from.path, current: replaced, mode: 'auto' as const }
    await replaceByRename(uploads, connection, replacement)
    const deep = source.entry.type === 'directory'
    const moved = { ...source.entry, name: nameOf(to.path) }
    cache.removed(from, deep)
    if (deep || replaced?.type === 'directory') cache.forgetBelow(to)
    cache.written(to, moved)
    tags.saved(to, replaced, moved)
  }
  try {
    await parts.connections.use(
      mount.account,
      'metadata',
      (connection) => parts.mutex.run(mutexKey(to), () => rename(connection)),
      { signal: call.signal, repeatable: () => !begun },
    )
  } catch (error) {
    cache.forget(from)
    cache.forget(to)
    throw error
  }
  await locks.removeWithin(from)
  await properties.move(from, to)
}

async function placeFile(copy: Copy, source: Located, { place, entry, judge }: Target): Promise<void> {
  if (entry?.type !== 'directory') return copyFile(copy, source.place, source.entry, place, entry, judge)
  await besides(copy, { place, judge }, (beside) => copyFile(copy, source.place, source.entry, beside, undefined))
}

async function placeFolder(copy: Copy, source: Place, { place, entry, judge }: Target, deep: boolean): Promise<void> {
  if (entry === undefined) return copyFolder(copy, source, place, deep)
  await besides(copy, { place, judge }, (beside) => copyFolder(copy, source, beside, deep))
}

/** Builds the new version under a temporary name in the same folder, then lets it take the place of the old one. */
async function besides(
  { uploads, failures }: Copy,
  { place, judge }: Omit<Target, 'entry'>,
  build: (beside: Place) => Promise<void>,
): Promise<void> {
  const { view, key, path } = place
  const { connections, cache, mutex } = view.parts
  const temporary = temporaryBeside(place)
  const upload = await uploads.begin(place, temporary, key.path)
  let begun = false
  const replace = async (connection: Connection): Promise<void> => {
    const current = await lookAt(connection, key.path)
    judge(current)
    begun = true
    try {
      await replaceByRename(uploads, connection, { place, from: temporary, current, mode: 'auto' }, upload)
      await uploads.finish(upload, connection)
    } catch (error) {
      // The old version may have stepped aside: it is back before anybody is told that nothing changed.
      await uploads.discard(upload, connection)
      throw error
    }
  }
  try {
    await build({ view, key: { ...key, path: temporary }, path })
    if (failures.length > 0) return uploads.abandon(upload)
    await connections.use(
      view.mount.account,
      'metadata',
      (connection) => mutex.run(mutexKey(key), () => replace(connection)),
      { repeatable: () => !begun },
    )
  } catch (error) {
    if (!begun) uploads.abandon(upload)
    throw error
  } finally {
    cache.forget(key)
  }
}

/**
 * Two registered servers may be one machine: then the target of a move can be its source, and removing the source would
 * remove the only copy. A folder made beside the target tells: it must not show up beside the source.
 * @throws OVERLAP
 */
async function assertElsewhere({ uploads, call }: Copy, source: Place, { place, entry }: Target): Promise<void> {
  if (nameOf(source.key.path) !== nameOf(place.key.path)) return
  // Not there by a cached listing may be the source itself, just uploaded under the name of the other server.
  const there = entry ?? (await place.view.metadata((connection) => lookAt(connection, place.key.path), call))
  if (there === undefined) return
  const probe = temporaryBeside(place)
  const upload = await uploads.begin(place, probe, place.key.path)
  try {
    await place.view.metadata((connection, options) => connection.makeDirectory(probe, options), call)
    const mirrored = joinRemote(parentOf(source.key.path), nameOf(probe))
    const seen = await source.view.metadata((connection) => lookAt(connection, mirrored), call)
    if (seen !== undefined) throw new VfsError('OVERLAP', 'Source and target are the same.')
    await place.view.metadata((connection) => uploads.discard(upload, connection), call)
  } catch (error) {
    uploads.abandon(upload)
    throw error
  }
}

function temporaryBeside({ view, key }: Place): string {
  return joinRemote(parentOf(key.path), temporaryName(nameOf(key.path), 'upload', view.parts.now()))
}
