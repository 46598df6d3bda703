import { readBody } from '../http/body.js'
import type { Exchange } from './exchange.js'
import { readXml, type XmlElement } from './xml-reader.js'

/** Elements in a body; each property named costs work for every member of a folder. */
const MAX_ELEMENTS = 512

/** The request's XML body; undefined when there is none. @throws HttpError 413, DavError 400, 415 */
export async function readXmlBody(exchange: Exchange): Promise<XmlElement | undefined> {
  const { request, call, dependencies } = exchange
  const { xmlBytes, xmlDepth } = dependencies.limits
  const body = await readBody(request, xmlBytes, call.signal)
  return body.length === 0 ? undefined : readXml(body, { depth: xmlDepth, elements: MAX_ELEMENTS })
}
