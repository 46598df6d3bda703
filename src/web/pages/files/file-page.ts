import type { Request, Response } from 'express'
import type { Node } from '../../../vfs/node.js'
import type { Call, Tree } from '../../../vfs/tree.js'
import { readableSize } from '../../folder-page.js'
import { page } from '../../page/page.js'
import type { Opened } from './browse.js'
import { KIND_ICONS, kindOf, previewOf } from './file-kind.js'

/** Bytes of a text that its page shows. */
const TEXT_LIMIT = 256 * 1024
/** Bytes of a PDF that a browser is given to draw. */
const PDF_LIMIT = 64 * 1024 ** 2

/** The page of one file: what it is, what is in it, and what can be done with it. */
export async function filePage(
  request: Request,
  response: Response,
  { tree, call, place }: Opened,
  node: Node,
): Promise<void> {
  const access = await place.access(node.path)
  const kind = previewOf(node.name)
  const tooLarge = kind === 'pdf' && node.size > PDF_LIMIT
  const preview = tooLarge ? 'none' : kind
  const text = preview === 'text' ? await beginningOf(tree, node, call) : undefined
  await page(request, response, 'files/file', {
    title: node.name,
    node,
    icon32: KIND_ICONS[kindOf(node.name)],
    crumbs: place.crumbs(node.path),
    here: place.hrefOf(node.path, false),
    folder: place.up(node.path),
    owner: place.owner,
    share: place.owner === undefined ? node.path : undefined,
    mayWrite: access === 'read-write',
    preview: text === undefined && preview === 'text' ? 'none' : preview,
    text,
    tooLarge,
    cut: node.size > TEXT_LIMIT,
    size: readableSize(node.size),
    modified: node.modified === undefined ? undefined : new Date(node.modified).toISOString(),
    styles: ['files'],
    scripts: ['files/file', ...(preview === 'pdf' ? ['files/pdf'] : [])],
  })
}

/** The first part of a text file; undefined for what turns out to be none. */
async function beginningOf(tree: Tree, node: Node, call: Call): Promise<string | undefined> {
  if (node.size === 0) return ''
  const chunks: Buffer[] = []
  const end = Math.min(node.size, TEXT_LIMIT) - 1
  await tree.read(node, { start: 0, end }, (chunk) => void chunks.push(Buffer.from(chunk)), call)
  const bytes = Buffer.concat(chunks)
  return bytes.includes(0) ? undefined : new TextDecoder('utf-8').decode(bytes)
}
