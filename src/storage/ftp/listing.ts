import type { Entry, Listing, OperationOptions } from '../driver.js'
import { StorageError } from '../errors.js'
import type { Reply } from './control-channel.js'
import { download } from './download.js'
import { known, parseMlsd, type ListedName, type ParsedListing } from './facts.js'
import { generalFault, refusal, saysUnreadable } from './ftp-errors.js'
import { parseList } from './parse-list.js'
import type { Session } from './session.js'

/** Bytes of one listing: some 300,000 entries. */
const MAX_BYTES = 32 * 1024 * 1024

/** The names in the current folder, or the reply by which the server refused to list it. */
export async function fetchNames(
  session: Session,
  options: OperationOptions,
): Promise<{ readonly refused: Reply } | Omit<ParsedListing, 'unreadable'>> {
  if (session.features.mlst) return parsed(await fetchText(session, 'MLSD', options), parseMlsd)
  const list = (text: string): ParsedListing => parseList(text, Date.now())
  if (session.listCommand !== undefined) return parsed(await fetchText(session, session.listCommand, options), list)
  const all = await fetchText(session, 'LIST -a', options)
  if ('text' in all && all.text.trim() !== '') {
    session.listCommand = 'LIST -a'
    return parsed(all, list)
  }
  // Refused or empty without even `.`: perhaps the option was taken for a name.
  const plain = await fetchText(session, 'LIST', options)
  if ('text' in plain && plain.text.trim() !== '') session.listCommand = 'LIST'
  return parsed(plain, list)
}

function parsed(
  answer: { readonly refused: Reply } | { readonly text: string },
  parse: (text: string) => ParsedListing,
): { readonly refused: Reply } | ParsedListing {
  if ('refused' in answer) return answer
  const listing = parse(answer.text)
  const nonsense = listing.unreadable ?? listing.names.find(({ name }) => name.includes('/'))?.name
  if (nonsense === undefined) return listing
  throw new StorageError('PROTOCOL', 'The server sent a listing that cannot be read whole.', {
    inStep: true,
    cause: new Error(nonsense.slice(0, 200)),
  })
}

/** The listing of the current folder, by a command without a path: a path would be a glob and an option to many servers. */
async function fetchText(
  session: Session,
  command: string,
  { signal }: OperationOptions,
): Promise<{ readonly refused: Reply } | { readonly text: string }> {
  const parts: Buffer[] = []
  let size = 0
  const sink = (chunk: Buffer): void => {
    size += chunk.length
    if (size > MAX_BYTES) {
      throw new StorageError('TOO_LARGE', 'The folder has more entries than can be listed.', { inStep: true })
    }
    parts.push(Buffer.from(chunk))
  }
  const { reply } = await download(session, { command, sink, signal })
  if (reply === undefined) throw new StorageError('PROTOCOL', 'The listing was not confirmed.')
  if (reply.code === 450 && /no files/i.test(reply.text)) return { text: '' }
  if (reply.code >= 400) {
    const fault = generalFault(reply)
    if (fault) throw fault
    return { refused: reply }
  }
  if (saysUnreadable(reply)) return { refused: reply }
  if (/truncated/i.test(reply.text)) {
    throw new StorageError('TOO_LARGE', 'The server lists only a part of this folder.', { inStep: true })
  }
  return { text: Buffer.concat(parts).toString(session.channel.encoding) }
}

/** Entries of what was listed; `follow` tells what a link points to. */
export async function toListing(
  listing: Omit<ParsedListing, 'unreadable'>,
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
