import { StorageError } from '../errors.js'
import type { Reply } from './control-channel.js'
import { timedOut, type Session } from './session.js'

/** How long a server may take to say how a transfer ended that was cut short. */
const GRACE = 3000

/** The reply of a transfer whose data connection is gone. @throws TIMED_OUT, the reason why the channel ended */
export async function lateReply(session: Session, replied: Promise<Reply>): Promise<Reply> {
  const timer = setTimeout(() => session.channel.end(timedOut(GRACE)), GRACE)
  try {
    return await replied
  } finally {
    clearTimeout(timer)
  }
}

/**
 * After a transfer was cut short: takes its late reply and has the server answer a NOOP, as a proof that no further reply is
 * on its way. A connection that fails the proof is ended.
 * @param restarts whether an offset may be left of it: no RETR or STOR that follows may find that
 * @returns whether the connection may be used again
 */
export async function backInStep(session: Session, replied: Promise<Reply>, restarts = () => false): Promise<boolean> {
  const { channel } = session
  const timer = setTimeout(() => channel.end(timedOut(GRACE)), GRACE)
  try {
    channel.cutTransfer()
    await replied
    const { code } = await channel.command('NOOP')
    if (code !== 200) {
      channel.end(new StorageError('CONNECTION_LOST', 'The server answers out of step.'))
      return false
    }
    if (restarts()) await channel.command('REST 0')
    return true
  } catch (error) {
    if (!channel.open) return false
    throw error
  } finally {
    clearTimeout(timer)
  }
}
