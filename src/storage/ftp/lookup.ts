import type { Entry } from '../driver.js'
import { nameOf, parentOf } from '../remote-path.js'
import type { StorageErrorCode } from '../errors.js'
import type { Reply } from './control-channel.js'
import { enter } from './enter.js'
import { known, parseFacts, parseTimeValue, type ListedName } from './facts.js'
import { codeInText, generalFault, refusal } from './ftp-errors.js'
import { fetchNames } from './listing.js'
import { asListed } from './parse-list.js'
import { askBoth, type Session } from './session.js'

/** What stands at a path; links are followed. `code` tells why nothing can be seen there. */
export type Found = { readonly entry: Entry } | Absence

interface Absence {
  readonly code: 'NOT_FOUND' | 'DENIED'
  /** DENIED, because a listing shows the name and it cannot be seen. */
  readonly listed?: boolean
}

/**
 * A name that was missing at first and stands in the listing then is closed to us, or has just been made by somebody else:
 * a second look tells.
 * @throws what concerns no file: CONNECTION_LOST, PROTOCOL, …
 */
export async function find(session: Session, path: string): Promise<Found> {
  const found = await look(session, path)
  return 'code' in found && found.listed === true ? look(session, path) : found
}

async function look(session: Session, path: string): Promise<Found> {
  const name = nameOf(path)
  if (path === '/')
    return { entry: { name, type: 'directory', symlink: false, size: 0, modified: await rootTime(session) } }
  if (!session.features.mlst) {
    const seen = await ask(session, path)
    return 'refused' in seen ? absence(session, path, seen.refused) : { entry: { name, symlink: false, ...seen } }
  }
  const reply = await session.channel.command(`MLST ${path}`)
  const facts = reply.code === 250 ? factsOf(reply) : undefined
  if (facts === undefined) {
    if (reply.code < 400) throw refusal('PROTOCOL', reply)
    throwGeneral(reply)
    return told(reply, path) ?? absence(session, path, reply)
  }
  const { type } = facts
  if (type !== 'link') {
    const kind = type === 'self' || type === 'parent' ? 'directory' : type
    return { entry: { name, type: kind, symlink: false, ...known(facts) } }
  }
  const target = await probe(session, path)
  return { entry: { name, symlink: true, ...(target ?? { type: 'other', size: 0, modified: facts.modified }) } }
}

/** With what a look begins. */
export function firstLook({ features }: Session, path: string): readonly string[] {
  return features.mlst ? [`MLST ${path}`] : [`SIZE ${path}`, `MDTM ${path}`]
}

/** The regular file of which the replies to `firstLook` tell; undefined where more has to be asked to know what is there. */
export function fileTold({ features }: Session, path: string, [first, second]: readonly Reply[]): Entry | undefined {
  const name = nameOf(path)
  if (!features.mlst) {
    const size = first && sizeIn(first)
    if (size === undefined) return undefined
    return { name, type: 'file', symlink: false, size, modified: asListed(second && timeIn(second), Date.now()) }
  }
  const facts = first?.code === 250 ? factsOf(first) : undefined
  return facts?.type === 'file' ? { name, type: 'file', symlink: false, ...known(facts) } : undefined
}

async function rootTime(session: Session): Promise<number | undefined> {
  if (!session.features.mlst) return undefined
  const reply = await session.channel.command('MLST /')
  return reply.code === 250 ? factsOf(reply)?.modified : undefined
}

/** The one line of an MLST reply that is indented. */
function factsOf(reply: Reply): ReturnType<typeof parseFacts> {
  const line = reply.text.split('\n').find((candidate) => candidate.startsWith(' '))
  return line === undefined ? undefined : parseFacts(line.slice(1))
}

type Seen = Pick<Entry, 'type' | 'size' | 'modified'>

/** What a link points to, in the precision of the server's listings. Undefined: it cannot be seen. */
export async function probe(session: Session, path: string): Promise<Seen | undefined> {
  const seen = await ask(session, path)
  return 'refused' in seen ? undefined : seen
}

/** What stands at a path, without MLST; or how SIZE was refused, where nothing can be seen. */
async function ask(session: Session, path: string): Promise<Seen | { readonly refused: Reply }> {
  const { features } = session
  const [size, askTime] = await askBoth(session, `SIZE ${path}`, `MDTM ${path}`)
  const bytes = sizeIn(size)
  if (bytes !== undefined) {
    const modified = timeIn(await askTime())
    return { type: 'file', size: bytes, modified: features.mlst ? modified : asListed(modified, Date.now()) }
  }
  if (size.code < 500) throwGeneral(size)
  const folder = await visit(session, path)
  return folder.code < 300 ? { type: 'directory', size: 0, modified: undefined } : { refused: size }
}

function sizeIn({ code, text }: Reply): number | undefined {
  const bytes = code === 213 ? /^213 (\d{1,16})\s*$/.exec(text)?.[1] : undefined
  return bytes === undefined ? undefined : Number(bytes)
}

function timeIn({ code, text }: Reply): number | undefined {
  return code === 213 ? parseTimeValue(text.slice(4)) : undefined
}

/** As `enter`, for who only wants the answer: what follows a refusal is sent with it where that saves a round trip. */
async function visit(session: Session, path: string): Promise<Reply> {
  if (!session.pipelines) return enter(session, path)
  const [reply] = await askBoth(session, `CWD ${path}`, 'CWD /')
  return reply
}

/** Why a path cannot be seen. Servers whose refusal leaves that open are asked, where an answer of theirs is known to tell. */
async function absence(session: Session, path: string, refused: Reply): Promise<Absence> {
  const { text } = refused
  let reason: Absence | undefined
  if (PROFTPD.test(text)) reason = told(await session.channel.command(`SIZE ${path}`), path)
  else if (PURE_FTPD.test(text)) reason = told(await visit(session, path), path)
  else if (VSFTPD.test(text)) reason = await toldByRename(session, path)
  return reason ?? absenceByListing(session, path)
}

/** Their words where they do not say why: proftpd and pure-ftpd to MLST, vsftpd to SIZE. */
const PROFTPD = /^550 .* cannot be listed\s*$/
const PURE_FTPD = /^550 Can't check for file existence\s*$/
const VSFTPD = /^550 Could not get file size\.\s*$/
/** vsftpd to RNFR, when stat(2) fails. */
const NOT_THERE = /^550 RNFR command failed\.\s*$/

/** What a refusal says, the path in it aside: it may be called anything. */
function told({ code, text }: Reply, path: string): Absence | undefined {
  if (code < 400) return undefined
  const said = codeInText({ code, text: text.replaceAll(path, '') })
  return said === 'NOT_FOUND' || said === 'DENIED' ? { code: said } : undefined
}

/**
 * By vsftpd's RNFR, which is a stat(2). In a folder that can be entered, what that does not find is not there, or a link
 * that leads nowhere. Others answer RNFR in other words, remember it after a refusal (pure-ftpd) or take nothing but RNTO
 * after it (proftpd): it is for vsftpd alone, which forgets it with the next RNFR.
 */
async function toldByRename(session: Session, path: string): Promise<Absence | undefined> {
  const [folder, askName] = await askBoth(session, `CWD ${parentOf(path)}`, `RNFR ${path}`)
  const reply = await askName()
  if (reply.code === 350) session.renameBegun = true
  return folder.code < 300 && NOT_THERE.test(reply.text) ? { code: 'NOT_FOUND' } : undefined
}

/** The nearest folder that can be entered shows whether the next name is there. */
async function absenceByListing(session: Session, path: string): Promise<Absence> {
  let child = path
  for (let parent = parentOf(path); child !== '/'; parent = parentOf(parent)) {
    const reply = await enter(session, parent)
    if (reply.code < 300) {
      const listed = await namesHere(session)
      const entry = listed?.find(({ name }) => name === nameOf(child))
      if (listed === undefined) return { code: 'DENIED' }
      if (entry === undefined) return { code: 'NOT_FOUND' }
      // The name is there. A link leads nowhere; below a file there is nothing; the rest is closed to us.
      const leadsNowhere = entry.type === (child === path ? 'link' : 'file')
      return leadsNowhere ? { code: 'NOT_FOUND' } : { code: 'DENIED', listed: true }
    }
    throwGeneral(reply)
    const reason = told(reply, parent)
    if (reason !== undefined) return reason
    child = parent
  }
  return { code: 'DENIED' }
}

/** Names in the current folder; undefined where it cannot be listed. */
async function namesHere(session: Session): Promise<readonly ListedName[] | undefined> {
  const listing = await fetchNames(session, {})
  return 'refused' in listing ? undefined : listing.names
}

/** Throws for replies that say nothing about a file. */
export function throwGeneral(reply: Reply): void {
  const fault = generalFault(reply)
  if (fault) throw fault
}

/** The error for a refused operation on `path`, by what is there; `otherwise` where that explains nothing. */
export async function explain(
  session: Session,
  path: string,
  reply: Reply,
  wrongKind: Partial<Record<Entry['type'], StorageErrorCode>>,
): Promise<Error> {
  throwGeneral(reply)
  const said = codeInText(reply)
  if (said === 'NO_SPACE') return refusal(said, reply)
  const found = await find(session, path)
  if ('code' in found) return refusal(found.code, reply)
  return refusal(wrongKind[found.entry.type] ?? 'DENIED', reply)
}

/** The error for a refused new name: the folder that should hold it is missing, or forbids it. */
export async function explainNew(session: Session, path: string, reply: Reply): Promise<Error> {
  const parent = await find(session, parentOf(path))
  if ('code' in parent) return refusal(parent.code, reply)
  return refusal(parent.entry.type === 'directory' ? 'DENIED' : 'NOT_FOUND', reply)
}
