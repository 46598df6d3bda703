import { isVfsError } from '../../vfs/errors.js'
import type { Node } from '../../vfs/node.js'
import type { PropertyChange } from '../../vfs/ports.js'
import type { Guard } from '../../vfs/tree.js'
import { parseHttpDate } from '../../http/http-date.js'
import { XML_TYPE, sendText } from '../answers.js'
import { checkIf, preconditionsOf } from '../conditions.js'
import { badRequest } from '../dav-error.js'
import { pathInTree, type Exchange } from '../exchange.js'
import { isLive } from '../live-properties.js'
import { parsePropertyUpdate, type Instruction } from '../property-update.js'
import { hrefOf } from '../tree-path.js'
import { verb } from '../verb.js'
import { readXmlBody } from '../xml-body.js'
import { DAV, WIN32, keyOf, type QName } from '../xml-names.js'
import { textOf } from '../xml-reader.js'
import { XML_HEAD, emptyElement, escapeXml, writeElement } from '../xml-writer.js'

/** How one property fared. */
type Verdict = 200 | 403 | 409 | 424

/** RFC 4918 section 9.2: in document order, all or nothing. */
export const proppatch = verb(async (exchange) => {
  const { response, tree, call } = exchange
  const body = await readXmlBody(exchange)
  if (!body) throw badRequest('BAD_PROPERTYUPDATE', 'A PROPPATCH says in its body what to change.')
  const instructions = parsePropertyUpdate(body)
  const lockTokens = await checkIf(exchange)
  const path = pathInTree(exchange)
  const node = await tree.stat(path, call)
  const guard: Guard = { lockTokens, ...preconditionsOf(exchange) }
  guard.check?.(node)

  const verdicts = new Map(instructions.map(({ name }) => [keyOf(name), judge(name)]))
  const refused = [...verdicts.values()].some((verdict) => verdict !== 200)
  const time = refused ? undefined : lastTime(instructions)
  if (!refused && time !== undefined) {
    const applied = await applyTime(exchange, node, time, guard)
    // Explorer gives a copied file up when its times are refused; whoever names the DAV property wants to know.
    if (!applied && time.name.namespace === DAV) verdicts.set(keyOf(time.name), 409)
  }
  const failed = [...verdicts.values()].some((verdict) => verdict !== 200)
  if (failed) {
    for (const [key, verdict] of verdicts) if (verdict === 200) verdicts.set(key, 424)
  } else {
    const changes = instructions.filter(({ name }) => !isSpecial(name)).map(changeOf)
    if (changes.length > 0) await tree.changeProperties(path, changes, guard, call)
  }
  const names = [...new Map(instructions.map(({ name }) => [keyOf(name), name])).values()]
  const href = hrefOf(path, node.type === 'directory')
  sendText(response, 207, XML_TYPE, multistatus(href, names, verdicts))
})

/** Names that set the file's time, or that Windows insists on: taken, but never stored. */
function isSpecial(name: QName): boolean {
  return isTime(name) || (name.namespace === WIN32 && name.name.startsWith('Win32'))
}

/** What sets the modification time: Explorer's name, the standard's, and the one rclone uses. */
function isTime({ namespace, name }: QName): boolean {
  if (namespace === WIN32) return name === 'Win32LastModifiedTime'
  return namespace === DAV && (name === 'getlastmodified' || name === 'lastmodified')
}

function judge(name: QName): Verdict {
  return isLive(name) && !isTime(name) ? 403 : 200
}

interface TimeChange {
  readonly name: QName
  /** Milliseconds since the epoch. */
  readonly modified: number
}

/** The last time that is set; one that cannot be read, or is removed, changes nothing. */
function lastTime(instructions: readonly Instruction[]): TimeChange | undefined {
  for (const { name, element } of instructions.toReversed()) {
    if (!isTime(name) || !element) continue
    const modified = parseTime(textOf(element).trim())
    if (modified !== undefined) return { name, modified }
  }
  return undefined
}

/** An HTTP date, or the seconds since the epoch that some send. */
function parseTime(text: string): number | undefined {
  if (/^\d{1,11}(?:\.\d{1,9})?$/.test(text)) return Math.floor(Number(text) * 1000)
  return parseHttpDate(text)
}

/** @returns false where the server cannot set times */
async function applyTime(exchange: Exchange, { path, size }: Node, time: TimeChange, guard: Guard): Promise<boolean> {
  const { tree, call } = exchange
  if (time.name.namespace === DAV) return tree.setModified(path, time.modified, guard, call)
  const own = (await tree.locks(path)).filter((lock) => lock.userId === tree.userId)
  // Explorer sets the times of the empty file before it sends the content, which would change them again.
  if (size === 0 && own.length > 0) return true
  // Office sets times without the token of its own lock.
  const lockTokens = new Set([...guard.lockTokens, ...own.map((lock) => lock.token)])
  try {
    return await tree.setModified(path, time.modified, { ...guard, lockTokens }, call)
  } catch (error) {
    if (isVfsError(error, 'IS_COLLECTION')) return false
    throw error
  }
}

function changeOf({ name, element }: Instruction): PropertyChange {
  return element ? { set: { ...name, xml: writeElement(element) } } : { remove: name }
}

const STATUS: Record<Verdict, string> = {
  200: '200 OK',
  403: '403 Forbidden',
  409: '409 Conflict',
  424: '424 Failed Dependency',
}

function multistatus(href: string, names: readonly QName[], verdicts: ReadonlyMap<string, Verdict>): string {
  let text = `${XML_HEAD}<D:multistatus xmlns:D="DAV:"><D:response><D:href>${escapeXml(href)}</D:href>`
  for (const verdict of [200, 403, 409, 424] as const) {
    const those = names.filter((name) => verdicts.get(keyOf(name)) === verdict)
    if (those.length === 0) continue
    text += `<D:propstat><D:prop>${those.map(emptyElement).join('')}</D:prop><D:status>HTTP/1.1 ${STATUS[verdict]}</D:status>`
    if (verdict === 403) text += '<D:error><D:cannot-modify-protected-property/></D:error>'
    text += '</D:propstat>'
  }
  return text + '</D:response></D:multistatus>'
}
