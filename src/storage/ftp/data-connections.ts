import { isStorageError, StorageError } from '../errors.js'
import type { Reply } from './control-channel.js'
import { connectData, type DataConnection, type Peer } from './data-connection.js'

/** A server's own services below this are nobody's data ports. */
const LOWEST_PORT = 1024

/** After transfers that are no further apart another one is likely; so long a data connection is kept for it, ms. */
const SOON = 3_000

/** A server whose ports lay no further apart may have few of them: it is asked for one when it is needed. */
const MANY_PORTS = 512

/** The server has let go of a data connection that was prepared. */
export class Lapsed extends Error {}

/** The reply to a transfer that cannot begin for want of a data connection; 503 where EPSV has to come anew. */
export function saysNoData({ code }: Reply): boolean {
  return code === 425 || code === 426 || code === 503
}

/** A data connection of which the server may have let go since it was opened. */
interface Prepared {
  readonly data: Promise<DataConnection | undefined>
  /** As soon as there is one. */
  opening: DataConnection | undefined
  readonly timer: NodeJS.Timeout
}

/** The data connections of one login, one at a time; in a run of transfers the next one is opened while nobody waits for it. */
export class DataConnections {
  /** False after the server refused EPSV. */
  #epsv = true
  #prepared: Prepared | undefined
  /** Of the transfer before, by the clock that runs on evenly. */
  #endedAt = -Infinity
  #lowestPort = Infinity
  #highestPort = -Infinity
  #mayPrepare: boolean

  /** @param mayPrepare the server takes a command before it has answered the one before it */
  constructor(
    private readonly peer: Peer,
    { mayPrepare }: { readonly mayPrepare: boolean },
  ) {
    this.#mayPrepare = mayPrepare
    peer.channel.ended.addEventListener('abort', () => this.#drop())
  }

  /**
   * A data connection, open as TCP. Deadline and abort are the channel's.
   * @throws PROTOCOL for a foreign host or a port that cannot be one, CONNECTION_LOST
   */
  async open(): Promise<{ readonly data: DataConnection; readonly prepared: boolean }> {
    const data = await this.#take()
    if (data?.reader.untouched) return { data, prepared: true }
    data?.reader.destroy()
    return { data: await this.#openAnew(), prepared: false }
  }

  /** Runs a transfer, and once more when it throws `Lapsed`. */
  async anew<T>(transfer: () => Promise<T>): Promise<T> {
    try {
      return await transfer()
    } catch (error) {
      if (!(error instanceof Lapsed)) throw error
      this.#mayPrepare = false
      return transfer()
    }
  }

  /** After a transfer that the server confirmed: opens the next data connection if another transfer is likely. */
  prepare(): void {
    const now = performance.now()
    const soon = now - this.#endedAt < SOON
    this.#endedAt = now
    const many = this.#highestPort - this.#lowestPort >= MANY_PORTS
    if (!soon || !many || !this.#mayPrepare || !this.peer.channel.open) return
    this.#drop()
    const prepared: Prepared = {
      data: this.#openAhead((data) => (prepared.opening = data)),
      opening: undefined,
      timer: setTimeout(() => this.#drop(), SOON).unref(),
    }
    this.#prepared = prepared
  }

  #take(): Promise<DataConnection | undefined> | undefined {
    const prepared = this.#prepared
    this.#prepared = undefined
    clearTimeout(prepared?.timer)
    return prepared?.data
  }

  #drop(): void {
    const prepared = this.#prepared
    void this.#take()
    prepared?.opening?.reader.destroy()
    void prepared?.data.then((data) => data?.reader.destroy())
  }

  /** Asks for a passive port (EPSV, RFC 2428; PASV, RFC 959) and connects to it. */
  async #openAnew(): Promise<DataConnection> {
    const { channel } = this.peer
    if (this.#epsv) {
      const reply = await channel.command('EPSV')
      if (reply.code === 229) {
        try {
          const data = connectData(this.peer, this.#port(reply))
          await data.opened
          return data
        } catch (error) {
          // Some gateways between us and the server follow PASV only.
          if (!(isStorageError(error, 'CONNECTION_LOST') && channel.open)) throw error
        }
      }
      this.#epsv = false
    }
    const reply = await channel.command('PASV')
    if (reply.code !== 227) {
      throw new StorageError('PROTOCOL', 'The server offers no passive mode.', {
        cause: new Error(reply.text),
        inStep: true,
      })
    }
    const data = connectData(this.peer, this.#port(reply))
    await data.opened
    return data
  }

  /** The same as it worked before. Whoever needs a data connection asks anew where there is none, and learns why. */
  async #openAhead(onOpening: (data: DataConnection) => void): Promise<DataConnection | undefined> {
    const { channel } = this.peer
    try {
      const reply = await channel.ahead(this.#epsv ? 'EPSV' : 'PASV')
      if (reply.code === 421) channel.end(new StorageError('CONNECTION_LOST', 'The server ended the session.'))
      if (reply.code !== (this.#epsv ? 229 : 227)) {
        this.#mayPrepare = false
        return undefined
      }
      const data = connectData(this.peer, this.#port(reply))
      onOpening(data)
      await data.opened
      return data
    } catch {
      this.#mayPrepare = false
      return undefined
    }
  }

  #port(reply: Reply): number {
    const port = reply.code === 227 ? pasvPort(reply, this.peer.channel.socket.remoteAddress ?? '') : epsvPort(reply)
    if (!Number.isInteger(port) || port < LOWEST_PORT || port > 65_535) {
      throw new StorageError('PROTOCOL', 'The server offered a data port that cannot be one.', { inStep: true })
    }
    this.#lowestPort = Math.min(this.#lowestPort, port)
    this.#highestPort = Math.max(this.#highestPort, port)
    return port
  }
}

function epsvPort(reply: Reply): number {
  return Number(/\((.)\1\1(\d{1,5})\1\)/.exec(reply.text)?.[2])
}

function pasvPort(reply: Reply, controlHost: string): number {
  const match = /(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})/.exec(reply.text.slice(4))
  const [, a, b, c, d, high, low] = match ?? []
  if (`${a}.${b}.${c}.${d}` !== controlHost.replace(/^::ffff:/i, '')) {
    throw new StorageError('PROTOCOL', 'The server sent the data connection to another host.', { inStep: true })
  }
  return Number(high) * 256 + Number(low)
}
