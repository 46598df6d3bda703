import type { FileEntryWithStats, Stats } from 'ssh2'
import type { Entry, Listing } from '../driver.js'
import { StorageError } from '../errors.js'
import { type Attributes, isLink, modifiedOf, toEntry } from './sftp-attributes.js'
import { explainList } from './sftp-diagnosis.js'
import { abortedBy, isStatus, SftpStatusError, translateStatus } from './sftp-errors.js'
import type { SftpSession } from './sftp-session.js'

const EOF = 1
const MAX_ENTRIES = 250_000
/** Links whose targets are asked for together. */
const LINKS_IN_FLIGHT = 32

interface ReadName {
  readonly name: string
  readonly attributes: Attributes
}

/**
 * Lists a folder: OPENDIR, then READDIR with several requests under way where the server keeps their order, and a STAT for
 * every symbolic link. A name that no path can hold is left out: see `isUsable`.
 * @throws NOT_FOUND, NOT_A_DIRECTORY, DENIED, TOO_LARGE, PROTOCOL
 */
export async function listDirectory(session: SftpSession, path: string, signal?: AbortSignal): Promise<Listing> {
  const { sftp } = session
  let handle: Buffer
  try {
    handle = await session.request<Buffer>((answer) => sftp.opendir(path, answer))
  } catch (error) {
    throw await explainList(session, path, error)
  }
  const names: ReadName[] = []
  try {
    await readNames(session, handle, names, signal)
  } catch (error) {
    throw translateStatus(error)
  } finally {
    // Nobody waits for it: its answer comes before that of any later request.
    session.submit<void>(
      (answer) => sftp.close(handle, answer),
      () => undefined,
    )
  }

  let selfModified: number | undefined
  const entries: Entry[] = []
  const unresolved: ReadName[] = []
  const seen = new Set<string>()
  for (const read of names) {
    const { name, attributes } = read
    if (name === '.') selfModified = modifiedOf(attributes)
    if (name === '.' || name === '..' || !isUsable(name)) continue
    if (seen.has(name)) throw new StorageError('PROTOCOL', 'The server listed a name twice.', { inStep: true })
    seen.add(name)
    if (attributes.mode === undefined || isLink(attributes)) unresolved.push(read)
    else entries.push(toEntry(name, attributes, false))
  }
  await resolveLinks(session, path, unresolved, entries, signal)
  return { selfModified, entries }
}

/**
 * Whether a name can be part of a remote path. Control characters never reach a server, and ssh2 decodes names as UTF-8,
 * so that U+FFFD stands for bytes that are lost: such an entry could be seen but neither opened nor removed.
 */
function isUsable(name: string): boolean {
  // eslint-disable-next-line no-control-regex
  return name !== '' && !/[\u0000-\u001f\u007f/\ufffd]/.test(name)
}

/**
 * Fills `names` until the server says EOF. Requests sent before the one that brought EOF still count, whatever the order
 * of the answers; those sent after it do not.
 */
function readNames(session: SftpSession, handle: Buffer, names: ReadName[], signal?: AbortSignal): Promise<void> {
  const { sftp, readdirDepth } = session
  return new Promise((resolve, reject) => {
    let sent = 0
    let underWay = 0
    let endedAt = Infinity
    let failure: unknown
    const ask = () => {
      const index = sent++
      underWay++
      const send = (answer: (error: Error | null | undefined, value: FileEntryWithStats[]) => void) =>
        // The types leave out the options: `full` keeps the entry of the folder itself.
        (sftp.readdir as unknown as (handle: Buffer, options: { full: boolean }, answer: unknown) => void).call(
          sftp,
          handle,
          { full: true },
          answer,
        )
      session.submit<FileEntryWithStats[]>(send, (error, list) => {
        underWay--
        if (error) {
          if (error instanceof SftpStatusError && error.status === EOF) endedAt = Math.min(endedAt, index)
          else if (index < endedAt) failure ??= error
        } else {
          for (const { filename, attrs } of list ?? []) names.push({ name: filename, attributes: attrs })
          if (names.length > MAX_ENTRIES) {
            failure ??= new StorageError('TOO_LARGE', `The folder has more than ${MAX_ENTRIES} entries.`, {
              inStep: true,
            })
          }
        }
        if (signal?.aborted) failure ??= abortedBy(signal, true)
        if (failure === undefined && endedAt === Infinity) ask()
        else if (underWay === 0) {
          if (failure === undefined) resolve()
          else reject(failure instanceof Error ? failure : new Error('The listing failed.'))
        }
      })
    }
    for (let i = 0; i < readdirDepth; i++) ask()
  })
}

async function resolveLinks(
  session: SftpSession,
  path: string,
  unresolved: readonly ReadName[],
  entries: Entry[],
  signal?: AbortSignal,
): Promise<void> {
  const base = path === '/' ? '/' : path + '/'
  let next = 0
  const work = async () => {
    for (let read = unresolved[next++]; read; read = unresolved[next++]) {
      if (signal?.aborted) throw abortedBy(signal, true)
      const { name, attributes } = read
      entries.push(await resolveEntry(session, base + name, name, attributes))
    }
  }
  await Promise.all(Array.from({ length: Math.min(LINKS_IN_FLIGHT, unresolved.length) }, work))
}

async function resolveEntry(session: SftpSession, path: string, name: string, own: Attributes): Promise<Entry> {
  try {
    const target = await session.request<Stats>((answer) => session.sftp.stat(path, answer))
    return toEntry(name, target, isLink(own))
  } catch (error) {
    if (!isStatus(error)) throw error
    // The link points to nothing that this account can see.
    return toEntry(name, own, isLink(own))
  }
}
