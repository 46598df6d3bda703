import { badRequest } from './dav-error.js'
import { DAV, type QName } from './xml-names.js'
import { davChild, elementsOf, type XmlElement } from './xml-reader.js'

/** One instruction of a PROPPATCH. `element` is the property with its value; undefined to remove it. */
export interface Instruction {
  readonly name: QName
  readonly element: XmlElement | undefined
}

/** Body of a PROPPATCH in document order, RFC 4918 section 14.19. @throws DavError 400 */
export function parsePropertyUpdate(root: XmlElement): Instruction[] {
  if (root.namespace !== DAV || root.name !== 'propertyupdate') {
    throw badRequest('BAD_PROPERTYUPDATE', 'The body is not a DAV:propertyupdate.')
  }
  const instructions: Instruction[] = []
  for (const action of elementsOf(root)) {
    if (action.namespace !== DAV || (action.name !== 'set' && action.name !== 'remove')) continue
    const prop = davChild(action, 'prop')
    if (!prop) throw badRequest('BAD_PROPERTYUPDATE', `A DAV:${action.name} holds no DAV:prop.`)
    for (const element of elementsOf(prop)) {
      const name = { namespace: element.namespace, name: element.name }
      instructions.push({ name, element: action.name === 'set' ? element : undefined })
    }
  }
  if (instructions.length === 0) throw badRequest('BAD_PROPERTYUPDATE', 'The body changes no property.')
  return instructions
}
