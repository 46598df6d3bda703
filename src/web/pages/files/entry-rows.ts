import type { Node } from '../../../vfs/node.js'
import { kindOf, type FileKind } from './file-kind.js'
import type { Place } from './place.js'

export const SORTS = ['name', 'size', 'modified'] as const
export type Sort = (typeof SORTS)[number]

export interface EntryRow {
  readonly name: string
  readonly kind: FileKind | 'folder' | 'server'
  readonly size: number | null
  readonly modified: number | null
  readonly symlink: boolean
  readonly href: string
}

/** `[name, kind, bytes or null, ms since the epoch or null, symbolic link]`: what the script of the page gets. */
export type CompactRow = readonly [string, EntryRow['kind'], number | null, number | null, 0 | 1]

const byName = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

export function rowsOf(members: readonly Node[], place: Pick<Place, 'hrefOf'>): EntryRow[] {
  return members.map(({ path, name, type, size, modified, symlink }) => {
    const folder = type === 'directory'
    return {
      name,
      kind: !folder ? kindOf(name) : path.lastIndexOf('/') === 0 ? 'server' : 'folder',
      size: folder ? null : size,
      modified: modified ?? null,
      symlink,
      href: place.hrefOf(path, folder),
    }
  })
}

/** Folders stay first, whatever the order. */
export function sorted(rows: readonly EntryRow[], sort: Sort, descending: boolean): EntryRow[] {
  const direction = descending ? -1 : 1
  return [...rows].sort((a, b) => {
    const folders = Number(a.size !== null) - Number(b.size !== null)
    if (folders !== 0) return folders
    const difference = sort === 'name' ? 0 : (a[sort] ?? -1) - (b[sort] ?? -1)
    return direction * (difference === 0 ? byName.compare(a.name, b.name) : difference)
  })
}

export function filtered(rows: readonly EntryRow[], filter: string): readonly EntryRow[] {
  const wanted = filter.trim().toLowerCase()
  return wanted === '' ? rows : rows.filter(({ name }) => name.toLowerCase().includes(wanted))
}

export function compact({ name, kind, size, modified, symlink }: EntryRow): CompactRow {
  return [name, kind, size, modified, symlink ? 1 : 0]
}
