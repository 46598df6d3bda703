import type { Stats } from 'ssh2'
import type { Entry, EntryType } from '../driver.js'
import { StorageError } from '../errors.js'

const TYPE_BITS = 0o170000
const LINK = 0o120000
const DIRECTORY = 0o040000
const REGULAR = 0o100000

/** Attributes as the server sent them: version 3 lets it leave each group out. */
export type Attributes = Partial<Pick<Stats, 'size' | 'mode' | 'mtime'>>

export function isLink(attributes: Attributes): boolean {
  return ((attributes.mode ?? 0) & TYPE_BITS) === LINK
}

/** Version 3 tells the type by the mode alone. */
export function typeOf(attributes: Attributes): EntryType {
  const bits = (attributes.mode ?? 0) & TYPE_BITS
  return bits === DIRECTORY ? 'directory' : bits === REGULAR ? 'file' : 'other'
}

/** Milliseconds; version 3 counts seconds in 32 bits without a sign. */
export function modifiedOf(attributes: Attributes): number | undefined {
  return attributes.mtime === undefined ? undefined : attributes.mtime * 1000
}

/**
 * @param target what the attributes are of, links followed; the link's own for a dangling one
 * @throws PROTOCOL when the server does not tell what it is
 */
export function toEntry(name: string, target: Attributes, symlink: boolean): Entry {
  const type = typeOf(target)
  const { mode, size } = target
  if (mode === undefined || (type === 'file' && !Number.isSafeInteger(size))) {
    throw new StorageError('PROTOCOL', 'The server does not tell the type or size of a file.', { inStep: true })
  }
  return {
    name,
    type,
    symlink,
    size: type === 'file' ? (size ?? 0) : 0,
    modified: modifiedOf(target),
    mode: mode & 0o7777,
  }
}
