import { badRequest } from './dav-error.js'
import { DAV, keyOf, type QName } from './xml-names.js'
import { davChild, elementsOf, type XmlElement } from './xml-reader.js'

/** What a PROPFIND asks for. */
export type PropertyRequest =
  | { readonly kind: 'allprop'; readonly include: readonly QName[] }
  | { readonly kind: 'propname' }
  | { readonly kind: 'prop'; readonly names: readonly QName[] }

/** No body means all properties, RFC 4918 section 9.1. */
export const ALLPROP: PropertyRequest = { kind: 'allprop', include: [] }

/** Body of a PROPFIND, RFC 4918 section 14.20. Elements that are not known are ignored. @throws DavError 400 */
export function parsePropfind(root: XmlElement): PropertyRequest {
  if (root.namespace !== DAV || root.name !== 'propfind')
    throw badRequest('BAD_PROPFIND', 'The body is not a DAV:propfind.')
  const prop = davChild(root, 'prop')
  const asked = [prop, davChild(root, 'allprop'), davChild(root, 'propname')].filter((element) => element !== undefined)
  if (asked.length !== 1) throw badRequest('BAD_PROPFIND', 'A propfind holds one of prop, allprop and propname.')
  if (prop) return { kind: 'prop', names: namesIn(prop) }
  if (davChild(root, 'propname')) return { kind: 'propname' }
  const include = davChild(root, 'include')
  return { kind: 'allprop', include: include ? namesIn(include) : [] }
}

function namesIn(element: XmlElement): QName[] {
  const names = elementsOf(element).map(({ namespace, name }) => ({ namespace, name }))
  return [...new Map(names.map((name) => [keyOf(name), name])).values()]
}
