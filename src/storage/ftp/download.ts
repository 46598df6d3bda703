import { StorageError } from '../errors.js'
import { Receiver, type Downloaded, type Retrieval, type Wanted } from './receiver.js'
import { within, type Session } from './session.js'

export interface Download extends Retrieval, Wanted {}

/**
 * One transfer from the server. The time a sink takes counts for nothing; the server must begin within `firstByte` and go on
 * within `stall`, else TIMED_OUT. When the sink throws or the signal fires, the data connection is dropped, the connection
 * is brought back in step or ended, and that error is thrown.
 * @param begun the same transfer, where it is under way already
 */
export async function download(session: Session, job: Download, begun?: Receiver): Promise<Downloaded> {
  let first = begun
  const downloaded = await session.data.anew(async () => {
    const receiver = first ?? (await begin(session, job))
    first = undefined
    return receiver.run(job)
  })
  if (downloaded.reply !== undefined && downloaded.reply.code < 300) session.data.prepare()
  return downloaded
}

async function begin(session: Session, job: Download): Promise<Receiver> {
  const { offset = 0 } = job
  const opened = await within(session, session.deadlines.firstByte, job, async () => {
    const connection = await session.data.open()
    if (offset === 0 || session.pipelines) return connection
    try {
      const rest = await session.channel.command(`REST ${offset}`)
      if (rest.code === 350) return connection
      throw new StorageError('UNSUPPORTED', 'The server cannot send a part of a file.', { inStep: true })
    } catch (error) {
      connection.data.reader.destroy()
      throw error
    }
  })
  return new Receiver(session, job, opened)
}
