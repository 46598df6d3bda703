import type { Stats } from 'ssh2'
import type { Deadlines } from '../driver.js'
import { StorageError } from '../errors.js'
import { typeOf } from './sftp-attributes.js'
import { explainCreate, explainRead, explainWrite } from './sftp-diagnosis.js'
import { abortedBy, answered, isStatus, timedOut, translateStatus } from './sftp-errors.js'
import type { SftpSession } from './sftp-session.js'

/** Bytes that the server copies in one request: small enough for a slow disk to answer within the stall deadline. */
const SLICE = 16 * 1024 * 1024

/**
 * Copies a file on the server with `copy-data` (draft-ietf-secsh-filexfer-extensions-00 section 7), a slice at a time.
 * The target must not exist.
 * @throws NOT_FOUND, IS_A_DIRECTORY, DENIED, ALREADY_EXISTS, NO_SPACE
 */
export async function copyFile(
  session: SftpSession,
  from: string,
  to: string,
  deadlines: Deadlines,
  signal?: AbortSignal,
): Promise<void> {
  if (signal?.aborted) throw abortedBy(signal, true)
  const { sftp } = session
  const step = <T = void>(send: (answer: (error: Error | null | undefined, value: T) => void) => void) =>
    limited(session, deadlines.stall, () => session.request<T>(send))
  const explained = async <T>(work: Promise<T>, explain: (error: unknown) => Promise<unknown>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw isStatus(error) ? await limited(session, deadlines.metadata, () => explain(error)) : error
    }
  }

  const source = await explained(
    step<Buffer>((answer) => sftp.open(from, 'r', answer)),
    (error) => explainRead(session, from, error),
  )
  const open = new Set([source])
  const close = (handle: Buffer) => {
    open.delete(handle)
    return step((answer) => sftp.close(handle, answer))
  }
  try {
    const stats = await step<Stats>((answer) => sftp.fstat(source, answer))
    if (typeOf(stats) === 'directory') throw answered('IS_A_DIRECTORY')
    const target = await explained(
      step<Buffer>((answer) => sftp.open(to, 'wx', { mode: stats.mode & 0o777 }, answer)),
      (error) => explainCreate(session, to, true, error),
    )
    open.add(target)
    for (let offset = 0; offset < stats.size; offset += SLICE) {
      if (signal?.aborted) throw abortedBy(signal, true)
      const length = Math.min(SLICE, stats.size - offset)
      await explained(
        step((answer) => sftp.ext_copy_data(source, offset, length, target, offset, answer)),
        (error) => explainWrite(session, to, error),
      )
    }
    const copied = await step<Stats>((answer) => sftp.fstat(target, answer))
    if (copied.size !== stats.size) {
      throw new StorageError('PROTOCOL', 'The copy on the server has another size than the file.', { inStep: true })
    }
    await close(target)
  } catch (error) {
    throw translateStatus(error)
  } finally {
    // What else a server says to the end of a handle changes nothing any more.
    if (session.open) await Promise.allSettled([...open].map(close))
  }
}

async function limited<T>(session: SftpSession, milliseconds: number, body: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => session.end(timedOut(milliseconds)), milliseconds)
  try {
    return await body()
  } finally {
    clearTimeout(timer)
  }
}
