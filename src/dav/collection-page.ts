import { encodePath } from '../http/url-path.js'
import type { Node } from '../vfs/node.js'
import { escapeAttribute, escapeXml } from './xml-writer.js'

export const PAGE_TYPE = 'text/html; charset=utf-8'

/** Names on the page come from anybody who may write to a server: nothing but links and text works here. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cache-Control': 'private, no-cache',
}

/** A plain list of links, folders first. @param href of the folder, with its slash */
export function* collectionPage(path: string, href: string, members: readonly Node[]): Generator<string> {
  const title = escapeXml(path)
  yield `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><h1>${title}</h1><ul>\n`
  if (path !== '/') yield '<li><a href="../">../</a></li>\n'
  const folders = members.filter((member) => member.type === 'directory')
  const files = members.filter((member) => member.type === 'file')
  for (const member of [...folders, ...files]) {
    const folder = member.type === 'directory'
    const link = href + encodePath('/' + member.name, folder).slice(1)
    const size = folder ? '' : ` (${member.size} bytes)`
    yield `<li><a href="${escapeAttribute(link)}">${escapeXml(member.name)}${folder ? '/' : ''}</a>${size}</li>\n`
  }
  yield '</ul></body></html>\n'
}
