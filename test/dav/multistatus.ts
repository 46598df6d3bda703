import { davChild, elementsOf, readXml, textOf, type XmlElement } from '../../src/dav/xml-reader.js'

export interface PropertyAnswer {
  readonly status: number
  /** Content as text. */
  readonly text: string
  readonly element: XmlElement
}

export interface ResourceAnswer {
  readonly href: string
  /** Of the response itself, where it has one instead of properties. */
  readonly status: number | undefined
  /** By `name` for `DAV:` names, `{namespace}name` for others. */
  readonly properties: ReadonlyMap<string, PropertyAnswer>
}

const LIMITS = { depth: 64, elements: 10_000_000 }

/** Reads a 207; throws when it is not well-formed, or a response has not exactly one href. */
export function multistatus(body: string): ResourceAnswer[] {
  const root = readXml(Buffer.from(body), LIMITS)
  if (root.namespace !== 'DAV:' || root.name !== 'multistatus')
    throw new Error(`not a multistatus: ${body.slice(0, 200)}`)
  return elementsOf(root).map((response) => {
    const hrefs = elementsOf(response).filter((child) => child.name === 'href')
    const [href] = hrefs
    if (!href || hrefs.length !== 1) throw new Error('a response has one href')
    const properties = new Map<string, PropertyAnswer>()
    for (const propstat of elementsOf(response).filter((child) => child.name === 'propstat')) {
      const status = statusOf(davChild(propstat, 'status'))
      const prop = davChild(propstat, 'prop')
      if (status === undefined || !prop) throw new Error('a propstat has prop and status')
      for (const element of elementsOf(prop)) {
        const key = element.namespace === 'DAV:' ? element.name : `{${element.namespace}}${element.name}`
        if (properties.has(key)) throw new Error(`${key} twice`)
        properties.set(key, { status, text: textOf(element), element })
      }
    }
    return { href: textOf(href), status: statusOf(davChild(response, 'status')), properties }
  })
}

/** The only response of a 207. */
export function only(body: string): ResourceAnswer {
  const [first, ...more] = multistatus(body)
  if (!first || more.length > 0) throw new Error(`${more.length + 1} responses`)
  return first
}

function statusOf(element: XmlElement | undefined): number | undefined {
  return element && Number(/^HTTP\/1\.1 (\d{3}) /.exec(textOf(element))?.[1])
}
