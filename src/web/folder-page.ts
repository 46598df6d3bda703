import { encodePath } from '../http/url-path.js'
import type { Node, NodeListing } from '../vfs/node.js'

/** A member as the page and the JSON show it. */
export interface FolderRow {
  readonly name: string
  readonly type: 'file' | 'directory'
  /** Bytes; null for folders. */
  readonly size: number | null
  /** ISO 8601 in UTC; null where the server does not tell. */
  readonly modified: string | null
  /** Path part of the URL, escaped. */
  readonly href: string
}

const byName = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

/** Folders first, each by name. `base` is the path above the tree, e.g. `/ftp/anna`. */
export function folderRows(listing: NodeListing, base: string): FolderRow[] {
  return [...listing.members]
    .sort((a, b) => (a.type === b.type ? byName.compare(a.name, b.name) : a.type === 'directory' ? -1 : 1))
    .map((node) => rowOf(node, base))
}

function rowOf(node: Node, base: string): FolderRow {
  const isFolder = node.type === 'directory'
  return {
    name: node.name,
    type: node.type,
    size: isFolder ? null : node.size,
    modified: node.modified === undefined ? null : new Date(node.modified).toISOString(),
    href: encodePath(base + node.path, isFolder),
  }
}

/** The folders from the top of the tree to `path`. */
export function breadcrumbs(path: string, base: string): { name: string; href: string }[] {
  const crumbs = [{ name: 'Files', href: encodePath(base, true) }]
  let at = base
  for (const name of path.split('/').filter(Boolean)) {
    at += '/' + name
    crumbs.push({ name, href: encodePath(at, true) })
  }
  return crumbs
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `1536` -> `1.5 KiB` */
export function readableSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}
