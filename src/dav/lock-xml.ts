import type { Lock } from '../vfs/tree.js'
import type { LockScope } from '../vfs/ports.js'
import { DavError, badRequest } from './dav-error.js'
import { hrefOf } from './tree-path.js'
import { DAV } from './xml-names.js'
import { davChild, elementsOf, type XmlElement } from './xml-reader.js'
import { escapeXml, writeContent } from './xml-writer.js'

/** Owners are shown with every lock; who they are fits in this many bytes. */
const MAX_OWNER = 4096

export const SUPPORTED_LOCK =
  '<D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>' +
  '<D:lockentry><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>'

export interface LockInfo {
  readonly scope: LockScope
  /** Content of the `owner` element as it was sent, self-contained; '' when there was none. */
  readonly ownerXml: string
}

/** Body of a LOCK request, RFC 4918 section 14.11. @throws DavError 400, 413 (an owner above 4 KiB) */
export function parseLockInfo(root: XmlElement): LockInfo {
  if (root.namespace !== DAV || root.name !== 'lockinfo')
    throw badRequest('BAD_LOCKINFO', 'The body is not a DAV:lockinfo.')
  const scope = only(davChild(root, 'lockscope'), ['exclusive', 'shared'])
  only(davChild(root, 'locktype'), ['write'])
  const owner = davChild(root, 'owner')
  const ownerXml = owner ? writeContent(owner) : ''
  if (Buffer.byteLength(ownerXml) > MAX_OWNER) {
    throw new DavError(413, 'OWNER_TOO_LARGE', `The owner of a lock is at most ${MAX_OWNER} bytes.`)
  }
  return { scope: scope === 'shared' ? 'shared' : 'exclusive', ownerXml }
}

function only(parent: XmlElement | undefined, allowed: readonly string[]): string {
  const [child, ...more] = parent ? elementsOf(parent) : []
  if (!child || more.length > 0 || child.namespace !== DAV || !allowed.includes(child.name)) {
    throw badRequest('BAD_LOCKINFO', 'Locks are exclusive or shared write locks.')
  }
  return child.name
}

/** Content of `DAV:lockdiscovery`, RFC 4918 section 15.8. */
export function lockDiscovery(locks: readonly Lock[]): string {
  return locks.map(activeLock).join('')
}

function activeLock(lock: Lock): string {
  return (
    '<D:activelock><D:locktype><D:write/></D:locktype>' +
    `<D:lockscope><D:${lock.scope}/></D:lockscope><D:depth>${lock.depth}</D:depth>` +
    (lock.ownerXml === '' ? '' : `<D:owner>${lock.ownerXml}</D:owner>`) +
    `<D:timeout>Second-${lock.secondsLeft}</D:timeout>` +
    `<D:locktoken><D:href>${escapeXml(lock.token)}</D:href></D:locktoken>` +
    `<D:lockroot><D:href>${escapeXml(hrefOf(lock.root, false))}</D:href></D:lockroot></D:activelock>`
  )
}
