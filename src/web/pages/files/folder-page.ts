import type { Request, Response } from 'express'
import type { Node } from '../../../vfs/node.js'
import { readableSize } from '../../folder-page.js'
import { page } from '../../page/page.js'
import { wantsPage } from '../../page/wants-page.js'
import type { Opened } from './browse.js'
import { compact, filtered, rowsOf, sorted, SORTS, type Sort } from './entry-rows.js'
import { KIND_ICONS } from './file-kind.js'
import { scriptJson, symbolsOf } from './page-parts.js'

/** Rows on a page without the script; the script shows all of them. */
const PAGE_SIZE = 500

/** A folder as a page, or as compact rows for the script. */
export async function folderPage(
  request: Request,
  response: Response,
  { tree, call, place }: Opened,
  node: Node,
): Promise<void> {
  const fresh = /\bno-cache\b/i.test(request.get('Cache-Control') ?? '')
  const listing = await tree.list(node.path, { ...call, fresh })
  const rows = rowsOf(listing.members, place)
  const access = await place.access(node.path)
  const path = place.shown(node.path)
  response.vary('Accept')
  if (!wantsPage(request)) {
    response.set('Cache-Control', 'private, no-cache')
    response.json({ path, access, entries: sorted(rows, 'name', false).map(compact) })
    return
  }
  const view = viewOf(request)
  const shown = sorted(filtered(rows, view.filter), view.sort, view.descending)
  const pages = Math.max(1, Math.ceil(shown.length / PAGE_SIZE))
  const at = Math.min(view.at, pages)
  await page(request, response, 'files/folder', {
    title: node.name || 'Files',
    crumbs: place.crumbs(node.path),
    path,
    here: place.hrefOf(node.path, true),
    up: place.up(node.path),
    top: node.path === '/',
    mayWrite: access === 'read-write',
    owner: place.owner,
    share: place.owner === undefined && node.path.lastIndexOf('/') > 0 ? node.path : undefined,
    rows: shown.slice((at - 1) * PAGE_SIZE, at * PAGE_SIZE),
    total: rows.length,
    found: shown.length,
    view,
    at,
    pages,
    linkTo: (changes: Readonly<Record<string, string | number>>) => linkTo(view, changes),
    readableSize,
    icons: KIND_ICONS,
    symbols: symbolsOf(Object.values(KIND_ICONS)),
    data: scriptJson({ path, access, entries: rows.map(compact) }),
    scripts: ['files/folder'],
    styles: ['files'],
  })
}

interface FolderView {
  readonly sort: Sort
  readonly descending: boolean
  readonly filter: string
  readonly at: number
}

function viewOf(request: Request): FolderView {
  const { sort, order, filter, page } = request.query
  const at = typeof page === 'string' && /^\d{1,6}$/.test(page) ? Number(page) : 1
  return {
    sort: SORTS.find((known) => known === sort) ?? 'name',
    descending: order === 'desc',
    filter: typeof filter === 'string' ? filter.slice(0, 255) : '',
    at: Math.max(1, at),
  }
}

function linkTo({ sort, descending, filter }: FolderView, changes: Readonly<Record<string, string | number>>): string {
  const now = { sort, order: descending ? 'desc' : 'asc', ...(filter === '' ? {} : { filter }) }
  const fields = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...now, ...changes })) fields.set(name, String(value))
  return '?' + fields.toString()
}
