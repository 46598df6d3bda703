import type { Node } from '../vfs/node.js'
import type { DeadProperty } from '../vfs/ports.js'
import { IN_ALLPROP, LIVE, isLive, isStorable, type Extras, type LiveValue } from './live-properties.js'
import type { PropertyRequest } from './propfind-xml.js'
import { DAV, keyOf, type QName } from './xml-names.js'
import { emptyElement, escapeXml } from './xml-writer.js'

const OK = '<D:status>HTTP/1.1 200 OK</D:status></D:propstat>'
const NOT_FOUND = '<D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>'

export interface RenderOptions {
  /** `Prefer: return=minimal`: properties that are not there are not mentioned. */
  readonly minimal: boolean
  /** Names of allprop; default: the usual ones. */
  readonly allprop?: readonly string[]
}

/** Writes the `DAV:response` of one resource after another for the same request. */
export interface Renderer {
  /** What has to be fetched for it. */
  readonly needs: { readonly stored: boolean; readonly locks: boolean; readonly space: boolean }
  /** @param href absolute path, percent-encoded */
  render(href: string, node: Node, stored: readonly DeadProperty[], extras: Extras): string
}

type Part = { readonly empty: string } & (
  { readonly live: LiveValue; readonly name: string } | { readonly stored: string }
)

export function rendererFor(request: PropertyRequest, options: RenderOptions): Renderer {
  if (request.kind === 'propname') return namesRenderer()
  const named = request.kind === 'prop' ? request.names : request.include
  const general =
    request.kind === 'allprop' ? (options.allprop ?? IN_ALLPROP).map((name) => ({ namespace: DAV, name })) : []
  const generalKeys = new Set(general.map(keyOf))
  const generalParts = general.map(partOf)
  const namedParts = named.filter((name) => !generalKeys.has(keyOf(name))).map(partOf)
  const asks = (name: string): boolean => named.some((n) => n.namespace === DAV && n.name === name)
  const allStored = request.kind === 'allprop'

  return {
    needs: {
      stored: allStored || named.some(isStorable),
      locks: asks('lockdiscovery'),
      space: asks('quota-available-bytes') || asks('quota-used-bytes'),
    },
    render(href, node, stored, extras) {
      let found = ''
      let missing = ''
      for (const part of generalParts) found += valueOf(part, node, stored, extras) ?? ''
      for (const part of namedParts) {
        // Included by name and stored: it comes with all the stored ones.
        if (allStored && 'stored' in part && stored.some((property) => keyOf(property) === part.stored)) continue
        const value = valueOf(part, node, stored, extras)
        if (value === undefined) missing += part.empty
        else found += value
      }
      if (allStored) for (const property of stored) found += property.xml
      return response(href, found, options.minimal ? '' : missing)
    },
  }
}

function namesRenderer(): Renderer {
  const names = [...LIVE.keys()].filter((name) => !name.startsWith('quota-'))
  return {
    needs: { stored: true, locks: false, space: false },
    render(href, node, stored) {
      let found = ''
      for (const name of names) if (LIVE.get(name)?.(node, {}) !== undefined) found += `<D:${name}/>`
      for (const property of stored) found += emptyElement(property)
      return response(href, found, '')
    },
  }
}

function partOf(name: QName): Part {
  const empty = emptyElement(name)
  const live = isLive(name) ? LIVE.get(name.name) : undefined
  return live ? { empty, live, name: name.name } : { empty, stored: keyOf(name) }
}

function valueOf(part: Part, node: Node, stored: readonly DeadProperty[], extras: Extras): string | undefined {
  if ('stored' in part) return stored.find((property) => keyOf(property) === part.stored)?.xml
  const content = part.live(node, extras)
  if (content === undefined) return undefined
  return content === '' ? part.empty : `<D:${part.name}>${content}</D:${part.name}>`
}

function response(href: string, found: string, missing: string): string {
  let text = `<D:response><D:href>${escapeXml(href)}</D:href>`
  if (found !== '' || missing === '') text += `<D:propstat><D:prop>${found}</D:prop>${OK}`
  if (missing !== '') text += `<D:propstat><D:prop>${missing}</D:prop>${NOT_FOUND}`
  return text + '</D:response>'
}
