import type { Request, Response } from 'express'
import { callToSend, sendFile } from '../../../http/send-file.js'
import type { Node } from '../../../vfs/node.js'
import type { Call, Tree } from '../../../vfs/tree.js'
import { parentPath } from '../../../vfs/virtual-path.js'
import { breadcrumbs, readableSize } from '../../folder-page.js'
import { page } from '../../page/page.js'
import { wantsPage } from '../../page/wants-page.js'
import { compact, filtered, rowsOf, sorted, SORTS, type Sort } from './entry-rows.js'
import { explain } from './explain-error.js'
import { filePage } from './file-page.js'
import { KIND_ICONS, shownTypeOf } from './file-kind.js'
import { aliasOf, BASE, hrefOf, pathOf } from './file-path.js'
import { accessTo, openTree, type FilesDependencies } from './files-request.js'
import { scriptJson, symbolsOf } from './page-parts.js'
import { sendZip } from './send-zip.js'

/** Rows on a page without the script; the script shows all of them. */
const PAGE_SIZE = 500

/**
 * `GET /files/<alias>/<path>`: a folder as a page, or as compact rows for the script; `?zip` the folder as a ZIP. A file as
 * a page that shows it; `?download` and `?inline` its bytes.
 */
export function browse(dependencies: FilesDependencies) {
  return async (request: Request, response: Response): Promise<void> => {
    const path = pathOf(request)
    const { tree, call } = await openTree(dependencies, request, response)
    const { download, inline, zip } = request.query
    const bytes = download !== undefined || inline !== undefined
    try {
      const node = await tree.stat(path, bytes ? callToSend(request, call) : call)
      if (node.type === 'directory') {
        if (zip !== undefined) await sendZip(dependencies, response, tree, [node], call)
        else await folder(dependencies, request, response, tree, node, call)
      } else if (bytes) await content(request, response, tree, node, call, inline !== undefined)
      else await filePage(dependencies, request, response, tree, node, call)
    } catch (error) {
      const explanation = bytes || !wantsPage(request) || response.headersSent ? undefined : explain(error)
      if (explanation === undefined) throw error
      await unavailable(request, response, path, explanation)
    }
  }
}

function content(request: Request, response: Response, tree: Tree, node: Node, call: Call, inline: boolean) {
  const type = inline ? shownTypeOf(node.name) : undefined
  return sendFile({
    request,
    response,
    tree,
    node,
    call,
    disposition: type === undefined ? 'attachment' : 'inline',
    ...(type === undefined ? {} : { headers: { 'Content-Type': type } }),
  })
}

async function folder(
  dependencies: FilesDependencies,
  request: Request,
  response: Response,
  tree: Tree,
  node: Node,
  call: Call,
): Promise<void> {
  const fresh = /\bno-cache\b/i.test(request.get('Cache-Control') ?? '')
  const listing = await tree.list(node.path, { ...call, fresh })
  const rows = rowsOf(listing.members)
  const access = await accessTo(dependencies, request, node.path)
  response.vary('Accept')
  if (!wantsPage(request)) {
    response.set('Cache-Control', 'private, no-cache')
    response.json({ path: node.path, access, entries: sorted(rows, 'name', false).map(compact) })
    return
  }
  const view = viewOf(request)
  const shown = sorted(filtered(rows, view.filter), view.sort, view.descending)
  const pages = Math.max(1, Math.ceil(shown.length / PAGE_SIZE))
  const at = Math.min(view.at, pages)
  await page(request, response, 'files/folder', {
    title: node.name || 'Files',
    crumbs: breadcrumbs(node.path, BASE),
    path: node.path,
    here: hrefOf(node.path, true),
    up: node.path === '/' ? undefined : hrefOf(parentPath(node.path), true),
    top: node.path === '/',
    mayWrite: access === 'read-write',
    alias: aliasOf(node.path),
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
    data: scriptJson({ path: node.path, access, entries: rows.map(compact) }),
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

async function unavailable(
  request: Request,
  response: Response,
  path: string,
  explanation: NonNullable<ReturnType<typeof explain>>,
): Promise<void> {
  for (const name of ['Content-Disposition', 'ETag', 'Last-Modified']) response.removeHeader(name)
  if (explanation.retryAfterSeconds !== undefined) response.set('Retry-After', String(explanation.retryAfterSeconds))
  const crumbs = breadcrumbs(path, BASE)
  const data = {
    title: explanation.title,
    styles: ['files'],
    explanation,
    crumbs,
    here: request.originalUrl,
    up: hrefOf(parentPath(path), true),
  }
  await page(request, response, 'files/unavailable', data, explanation.status)
}
