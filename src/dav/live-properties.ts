import { contentTypeOf } from '../http/content-type.js'
import { toHttpDate, toIsoDate } from '../http/http-date.js'
import type { FreeSpace } from '../storage/driver.js'
import type { Node } from '../vfs/node.js'
import { SUPPORTED_LOCK } from './lock-xml.js'
import { DAV, WIN32, type QName } from './xml-names.js'
import { escapeXml } from './xml-writer.js'

/** What a property needs to know besides the node; fetched only when such a property was asked for. */
export interface Extras {
  /** Content of lockdiscovery. */
  readonly locks?: string
  readonly space?: FreeSpace | undefined
}

/** Content of the property's element as XML; undefined where the resource has no such property. */
export type LiveValue = (node: Node, extras: Extras) => string | undefined

/** Live properties of RFC 4918 section 15 and RFC 4331, by local name. */
export const LIVE: ReadonlyMap<string, LiveValue> = new Map<string, LiveValue>([
  ['resourcetype', (node) => (node.type === 'directory' ? '<D:collection/>' : '')],
  ['getcontentlength', (node) => (node.type === 'file' ? String(node.size) : undefined)],
  ['getlastmodified', (node) => (node.modified === undefined ? undefined : toHttpDate(node.modified))],
  // RFC 3339 without fractions, which Windows wants. No server tells when a file was created; clients want a date that does not change by looking.
  ['creationdate', (node) => (node.modified === undefined ? undefined : toIsoDate(node.modified))],
  ['getetag', (node) => (node.etag === undefined ? undefined : escapeXml(node.etag))],
  ['getcontenttype', (node) => (node.type === 'file' ? escapeXml(contentTypeOf(node.name)) : undefined)],
  ['displayname', (node) => escapeXml(node.path === '/' ? 'FTPCluster' : node.name)],
  ['supportedlock', () => SUPPORTED_LOCK],
  ['lockdiscovery', (_node, extras) => extras.locks ?? ''],
  ['quota-available-bytes', (_node, { space }) => (space ? String(space.available) : undefined)],
  ['quota-used-bytes', (_node, { space }) => (space?.used === undefined ? undefined : String(space.used))],
])

/** What allprop gives, the cheap ones; RFC 4331 section 2 wants quotas left out. */
export const IN_ALLPROP = [
  'resourcetype',
  'getcontentlength',
  'getlastmodified',
  'creationdate',
  'getetag',
  'getcontenttype',
]
/** The same for a client that counts the bytes of a listing. */
export const IN_SHORT_ALLPROP = ['resourcetype', 'getcontentlength', 'getlastmodified', 'creationdate']
export const IN_SHORTEST_ALLPROP = ['resourcetype', 'getcontentlength', 'getlastmodified']

/** Old names that are asked for in every listing and that nothing here has: not worth a look at the stored properties. */
const NEVER_STORED: ReadonlySet<string> = new Set(['quota', 'quotaused'])

export function isLive(name: QName): boolean {
  return name.namespace === DAV && LIVE.has(name.name)
}

/** Whether a property of this name can be among the stored ones. */
export function isStorable(name: QName): boolean {
  if (name.namespace === WIN32) return !name.name.startsWith('Win32')
  return !isLive(name) && !(name.namespace === DAV && NEVER_STORED.has(name.name))
}
