import type { Entry, Listing, OperationOptions } from '../driver.js'
import { StorageError } from '../errors.js'
import type { Reply } from './control-channel.js'
import { download } from './download.js'
import { known, parseMlsdLine, type ListedName } from './facts.js'
import { generalFault, refusal, saysUnreadable } from './ftp-errors.js'
import { ListingLines, type ParsedListing, type ParseLine } from './listing-lines.js'
import { parseListLine } from './parse-list.js'
import type { Session } from './session.js'

/** Bytes of one listing: some 300,000 entries. */
const MAX_BYTES = 32 * 1024 * 1024

type Refused = { readonly refused: Reply }

/** The names in the current folder, or the reply by which the server refused to list it. */
export async function fetchNames(session: Session, options: OperationOptions): Promise<Refused | ParsedListing> {
  const list = parseListLine(Date.now())
  if (session.features.mlst) return readable(await fetchLines(session, 'MLSD', parseMlsdLine, options))
  if (session.listCommand !== undefined) return readable(await fetchLines(session, session.listCommand, list, options))
  const all = await fetchLines(session, 'LIST -a', list, options)
  if (!('refused' in all || all.blank)) {
    session.listCommand = 'LIST -a'
    return readable(all)
  }
  // Refused or empty without even `.`: perhaps the option was taken for a name.
  const plain = await fetchLines(session, 'LIST', list, options)
  if (!('refused' in plain || plain.blank)) session.listCommand = 'LIST'
  return readable(plain)
}

function readable(listing: Refused | ParsedListing): Refused | ParsedListing {
  if ('refused' in listing) return listing
  const nonsense = listing.unreadable ?? listing.names.find(({ name }) => name.includes('/'))?.name
  if (nonsense === undefined) return listing
  throw new StorageError('PROTOCOL', 'The server sent a listing that cannot be read whole.', {
    inStep: true,
    cause: new Error(nonsense.slice(0, 200)),
  })
}

/** The listing of the current folder, by a command without a path: a path would be a glob and an option to many servers. */
async function fetchLines(
  session: Session,
  command: string,
  parse: ParseLine,
  { signal }: OperationOptions,
): Promise<Refused | ListingLines> {
  const lines = new ListingLines(session.channel.encoding, parse)
  let size = 0
  const sink = (chunk: Buffer): void => {
    size += chunk.length
    if (size > MAX_BYTES) {
      throw new StorageError('TOO_LARGE', 'The folder has more entries than can be listed.', { inStep: true })
    }
    lines.push(chunk)
  }
  const { reply } = await download(session, { command, sink, signal })
  if (reply === undefined) throw new StorageError('PROTOCOL', 'The listing was not confirmed.')
  if (reply.code === 450 && /no files/i.test(reply.text)) return new ListingLines(session.channel.encoding, parse)
  if (reply.code >= 400) {
    const fault = generalFault(reply)
    if (fault) throw fault
    return { refused: reply }
  }
  if (saysUnreadable(reply)) return { refused: reply }
  if (/truncated/i.test(reply.text)) {
    throw new StorageError('TOO_LARGE', 'The server lists only a part of this folder.', { inStep: true })
  }
  return lines.end()
}

/** Entries of what was listed; `follow` tells what a link points to. */
export async function toListing(
  listing: ParsedListing,
  follow: (name: string) => Promise<Pick<Entry, 'type' | 'size' | 'modified'> | undefined>,
): Promise<Listing> {
  const entries = new Map<string, Entry>()
  for (const listed of listing.names) {
    if (listed.name === '.' || listed.name === '..' || entries.has(listed.name)) continue
    entries.set(listed.name, listed.type === 'link' ? await linkEntry(listed, follow) : plain(listed, listed.type))
  }
  return { selfModified: listing.selfModified, entries: [...entries.values()] }
}

function plain(listed: ListedName, type: Entry['type']): Entry {
  const { size, modified, mode, unique } = listed
  return { name: listed.name, type, symlink: false, ...known({ size, modified, mode, unique }) }
}

async function linkEntry(
  listed: ListedName,
  follow: (name: string) => Promise<Pick<Entry, 'type' | 'size' | 'modified'> | undefined>,
): Promise<Entry> {
  const target = await follow(listed.name)
  return { name: listed.name, symlink: true, ...(target ?? { type: 'other', size: 0, modified: listed.modified }) }
}

/** The folder was entered, and yet not listed. */
export function unlistable(reply: Reply): StorageError {
  return refusal('DENIED', reply)
}
