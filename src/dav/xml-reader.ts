import { SaxesParser } from 'saxes'
import { DavError, badRequest } from './dav-error.js'
import { DAV, type QName } from './xml-names.js'

export interface XmlAttribute extends QName {
  readonly prefix: string
  readonly value: string
}

/** An element as it was read, names resolved. */
export interface XmlElement extends QName {
  readonly prefix: string
  /** Without the namespace declarations. */
  readonly attributes: readonly XmlAttribute[]
  /** Declarations that stand on this very element, by prefix ('' for the default namespace). */
  readonly declared: Readonly<Record<string, string>>
  readonly children: (XmlElement | string)[]
  /** `xml:lang` in force, from this element or the nearest one above that has it. */
  readonly lang: string | undefined
}

export interface XmlLimits {
  /** Nested elements. */
  readonly depth: number
  /** Elements in all; a request names properties, and each costs work for every member of a folder. */
  readonly elements: number
}

const ENCODINGS = new Map([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['us-ascii', 'utf-8'],
  ['ascii', 'utf-8'],
  ['utf-16', 'utf-16le'],
  ['utf-16le', 'utf-16le'],
  ['utf-16be', 'utf-16be'],
  ['iso-8859-1', 'latin1'],
  ['windows-1252', 'windows-1252'],
])

/**
 * Reads a request body as XML 1.0 with namespaces; a prefix bound to nothing is not well-formed. A document type declaration is refused, so there are no entities to
 * expand or fetch.
 * @throws DavError 400 (not well-formed, DOCTYPE, a bound passed), 415 (an encoding that is not offered)
 */
export function readXml(body: Uint8Array, limits: XmlLimits): XmlElement {
  const text = decode(body)
  const parser = new SaxesParser({ xmlns: true, position: false })
  const open: XmlElement[] = []
  let root: XmlElement | undefined
  let elements = 0

  const addText = (value: string): void => {
    open.at(-1)?.children.push(value)
  }
  parser.on('error', (error) => {
    throw badRequest('BAD_XML', `The body is not well-formed XML: ${error.message.slice(0, 120)}`)
  })
  parser.on('doctype', () => {
    throw badRequest('BAD_XML', 'A document type declaration is not accepted.')
  })
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('opentag', (tag) => {
    if (++elements > limits.elements) throw badRequest('BAD_XML', `The body has more than ${limits.elements} elements.`)
    if (open.length >= limits.depth) {
      throw badRequest('BAD_XML', `The body is nested deeper than ${limits.depth} elements.`)
    }
    const attributes = Object.values(tag.attributes)
      .filter((a) => a.prefix !== 'xmlns' && a.name !== 'xmlns')
      .map((a) => ({ prefix: a.prefix, namespace: a.uri, name: a.local, value: a.value }))
    const own = attributes.find((a) => a.prefix === 'xml' && a.name === 'lang')
    const element: XmlElement = {
      prefix: tag.prefix,
      namespace: tag.uri,
      name: tag.local,
      attributes,
      declared: tag.ns,
      children: [],
      lang: own ? own.value : open.at(-1)?.lang,
    }
    open.at(-1)?.children.push(element)
    root ??= element
    open.push(element)
  })
  parser.on('closetag', () => {
    open.pop()
  })
  parser.write(text).close()
  if (!root) throw badRequest('BAD_XML', 'The body holds no element.')
  return root
}

/** The child elements, without text between them. */
export function elementsOf(parent: XmlElement): XmlElement[] {
  return parent.children.filter((child) => typeof child !== 'string')
}

/** The first child `DAV:name`. */
export function davChild(parent: XmlElement, name: string): XmlElement | undefined {
  return elementsOf(parent).find((child) => child.namespace === DAV && child.name === name)
}

/** All character data inside, elements' included. */
export function textOf(element: XmlElement): string {
  return element.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('')
}

function decode(body: Uint8Array): string {
  const label = markedEncoding(body) ?? declaredEncoding(body)
  const encoding = ENCODINGS.get(label)
  if (encoding === undefined) {
    throw new DavError(415, 'BAD_ENCODING', 'The body is in an encoding that is not offered; send UTF-8.')
  }
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(body)
  } catch {
    throw badRequest('BAD_XML', `The body is not valid ${label}.`)
  }
}

/** XML 1.0, appendix F: a byte order mark, or the zero bytes of an unmarked UTF-16 `<`. */
function markedEncoding(body: Uint8Array): string | undefined {
  const [first = 0, second = 0] = body
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0 && second === 0x3c) return 'utf-16be'
  if (first === 0x3c && second === 0) return 'utf-16le'
  if (first === 0xef && second === 0xbb) return 'utf-8'
  return undefined
}

function declaredEncoding(body: Uint8Array): string {
  const head = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 200)).toString('latin1')
  const label = /^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(head)?.[1]?.toLowerCase() ?? 'utf-8'
  // The declaration was readable as ASCII, so it is not UTF-16 whatever it says.
  return label.startsWith('utf-16') ? 'utf-8' : label
}
