import type { Deadlines, OperationOptions } from '../driver.js'
import { StorageError } from '../errors.js'
import type { ControlChannel, Reply } from './control-channel.js'
import type { DataConnections } from './data-connections.js'
import type { TlsIdentity } from './tls-trust.js'

/** What FEAT told, RFC 2389 and RFC 3659. */
export interface Features {
  /** MLST and MLSD. */
  readonly mlst: boolean
  readonly mfmt: boolean
  readonly mdtm: boolean
  readonly avbl: boolean
}

/** One logged-in conversation and what was learned in it. */
export interface Session {
  readonly channel: ControlChannel
  readonly deadlines: Deadlines
  readonly tls: TlsIdentity | undefined
  readonly features: Features
  /** The server takes a command before it has answered the one before it: it did so at this login. */
  readonly pipelines: boolean
  readonly data: DataConnections
  /** Which listing command to use where there is no MLSD: `LIST -a` shows hidden names, where it is understood. */
  listCommand: 'LIST -a' | 'LIST' | undefined
  /** A RNFR may still be remembered: no RNTO may be sent before the answer to another one. */
  renameBegun: boolean
  /** While a transfer that nobody reads is given up: no command may be sent before. */
  settling: Promise<void> | undefined
}

/**
 * Runs `work` under one deadline. Time out or abort in the middle of a conversation leaves it unclear, so both end the
 * connection; `work` then rejects with the reason.
 */
export async function within<T>(
  session: Session,
  milliseconds: number,
  { signal }: OperationOptions,
  work: () => Promise<T>,
): Promise<T> {
  const { channel } = session
  assertUsable(channel, signal)
  const timer = setTimeout(() => channel.end(timedOut(milliseconds)), milliseconds)
  const onAbort = () => channel.end(aborted(signal, false))
  signal?.addEventListener('abort', onAbort)
  try {
    if (session.settling !== undefined) {
      await session.settling
      // Nothing of this was sent yet: another connection may be asked.
      assertUsable(channel, signal)
    }
    return await work()
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

function assertUsable(channel: ControlChannel, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal, channel.open)
  if (!channel.open) throw new StorageError('CONNECTION_LOST', 'The connection to the server has ended.')
}

/**
 * The reply to `first`, and how to come by that to `second`: it is sent when called for, or was sent with the first where the
 * server takes that. So a refusal of the first has to make the second a harmless one.
 */
export async function askBoth(
  { channel, pipelines }: Session,
  first: string,
  second: string,
  together = pipelines,
): Promise<[first: Reply, second: () => Promise<Reply>]> {
  if (!together) return [await channel.command(first), () => channel.command(second)]
  const [reply, next] = (await channel.together([first, second])) as [Reply, Reply]
  return [reply, () => Promise.resolve(next)]
}

export function timedOut(milliseconds: number): StorageError {
  return new StorageError('TIMED_OUT', `The server did not answer within ${milliseconds} ms.`)
}

export function aborted(signal: AbortSignal | undefined, inStep: boolean): StorageError {
  return new StorageError('ABORTED', 'The operation was stopped.', { cause: signal?.reason, inStep })
}
