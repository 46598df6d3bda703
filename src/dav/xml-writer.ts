import { DAV, XML, type QName } from './xml-names.js'
import type { XmlElement } from './xml-reader.js'

export const XML_HEAD = '<?xml version="1.0" encoding="utf-8"?>'

const SPECIAL = /[&<>\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/ // eslint-disable-line no-control-regex
// With the u flag, surrogates match only where they stand alone.
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/gu // eslint-disable-line no-control-regex
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
}

/**
 * Character data; what XML 1.0 cannot hold (section 2.2) is dropped. Quotes stay as they are: the parser of macOS takes an
 * entity for the end of a value.
 */
export function escapeXml(text: string): string {
  if (!SPECIAL.test(text)) return text
  return text.replace(FORBIDDEN, '').replace(/[&<>\r]/g, (character) => ESCAPES[character] ?? '')
}

/** The same for the value of an attribute in double quotes. */
export function escapeAttribute(text: string): string {
  return escapeXml(text).replace(/["\n\t]/g, (character) => ESCAPES[character] ?? '')
}

/** An empty element of that name; `DAV:` names with the prefix `D`, which the document declares. */
export function emptyElement(name: QName): string {
  if (name.namespace === DAV) return `<D:${name.name}/>`
  if (name.namespace === '') return `<${name.name} xmlns=""/>`
  if (name.namespace === XML) return `<xml:${name.name}/>`
  return `<n:${name.name} xmlns:n="${escapeAttribute(name.namespace)}"/>`
}

type Scope = ReadonlyMap<string, string>
const NOTHING: Scope = new Map()

/**
 * The element as XML that means the same wherever it is put: every prefix it uses is declared inside, and an inherited
 * `xml:lang` stands on it.
 */
export function writeElement(element: XmlElement): string {
  const inherits =
    element.lang !== undefined && !element.attributes.some((a) => a.prefix === 'xml' && a.name === 'lang')
  const lang = inherits ? ` xml:lang="${escapeAttribute(element.lang)}"` : ''
  return write(element, NOTHING, lang)
}

/** What is inside `element`, likewise self-contained. */
export function writeContent(element: XmlElement): string {
  return element.children
    .map((child) => (typeof child === 'string' ? escapeXml(child) : write(child, NOTHING, '')))
    .join('')
}

function write(element: XmlElement, outer: Scope, extra: string): string {
  const scope = new Map(outer)
  let declarations = ''
  const declare = (prefix: string, uri: string): void => {
    if (prefix === 'xml' || scope.get(prefix) === uri) return
    scope.set(prefix, uri)
    declarations += prefix === '' ? ` xmlns="${escapeAttribute(uri)}"` : ` xmlns:${prefix}="${escapeAttribute(uri)}"`
  }
  declare(element.prefix, element.namespace)
  // Values may hold prefixed names in their text, so what the client declared is kept even where no name uses it.
  for (const [prefix, uri] of Object.entries(element.declared)) declare(prefix, uri)
  let attributes = ''
  for (const attribute of element.attributes) {
    if (attribute.prefix !== '') declare(attribute.prefix, attribute.namespace)
    const name = attribute.prefix === '' ? attribute.name : `${attribute.prefix}:${attribute.name}`
    attributes += ` ${name}="${escapeAttribute(attribute.value)}"`
  }
  const name = element.prefix === '' ? element.name : `${element.prefix}:${element.name}`
  const head = `<${name}${declarations}${extra}${attributes}`
  if (element.children.length === 0) return `${head}/>`
  const inside = element.children.map((child) =>
    typeof child === 'string' ? escapeXml(child) : write(child, scope, ''),
  )
  return `${head}>${inside.join('')}</${name}>`
}
