import { lookup } from 'node:dns/promises'
import { BlockList, connect, isIP, type Socket } from 'node:net'
import { messageOf } from '../errors.js'
import { anyOf } from '../heap/signals.js'
import type { Dialer, DialOptions } from './driver.js'
import { StorageError } from './errors.js'

/** One address of a host, as the resolver gives it. */
export interface HostAddress {
  readonly address: string
  readonly family: number
}

export interface DialerOptions {
  /** CIDRs (or single addresses) that may be connected to although they are loopback, link-local or special. */
  readonly allow: readonly string[]
  /** Milliseconds for resolving and connecting together. */
  readonly connectTimeout?: number
  /** Resolves a host name to all its addresses; the system's resolver when left out. */
  readonly resolve?: (host: string) => Promise<readonly HostAddress[]>
}

/** How long an address has the field for itself before the next one is tried beside it (RFC 8305 section 5). */
const ATTEMPT_DELAY = 250
const DEFAULT_TIMEOUT = 10_000

/**
 * What no server stands behind unless the deployment says so: the gateway itself, cloud metadata, "this network",
 * multicast and reserved space, and IPv6 forms that carry an IPv4 address past these rules (RFC 6890, RFC 4291, RFC 6052).
 */
const REFUSED = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b::/96',
  '2002::/16',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]

/**
 * Tells of an IP address whether a server may stand there: private and public ranges always, the refused ones only where
 * `allow` lists them.
 * @throws RangeError on an entry of `allow` that is no network
 */
export function addressRules(allow: readonly string[]): (address: string) => boolean {
  const allowed = toBlockList(allow)
  const refused = toBlockList(REFUSED)
  // Apart from the others: a BlockList takes this network for every IPv4 address as well.
  const mapped = toBlockList(['::ffff:0:0/96'])
  return (address) => {
    const type = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (allowed.check(address, type)) return true
    return !refused.check(address, type) && !(type === 'ipv6' && mapped.check(address, type))
  }
}

/**
 * A dialer that resolves a host once, refuses every address that the rules exclude, and connects to the checked address
 * itself, so that a name cannot point elsewhere between check and use. Several addresses race (RFC 8305).
 *
 * The dialer throws UNREACHABLE (also for a refused address), TIMED_OUT, OVERLOADED and ABORTED.
 */
export function createDialer(options: DialerOptions): Dialer {
  const isAllowed = addressRules(options.allow)
  const timeout = options.connectTimeout ?? DEFAULT_TIMEOUT
  const resolve = options.resolve ?? ((host) => lookup(host, { all: true, order: 'verbatim' }))

  return async (host, port, { signal, onread }: DialOptions) => {
    if (signal?.aborted) throw aborted(signal)
    const deadline = AbortSignal.timeout(timeout)
    const stop = signal ? anyOf(signal, deadline) : deadline
    const stopped = () =>
      signal?.aborted
        ? aborted(signal)
        : new StorageError('TIMED_OUT', `No answer from the server within ${timeout} ms.`)

    const literal = host.replace(/^\[(.*)\]$/, '$1')
    const addresses = isIP(literal)
      ? [{ address: literal, family: isIP(literal) }]
      : await unlessStopped(resolveName(literal, resolve), stop, stopped)
    const usable = addresses.filter(({ address }) => isAllowed(address))
    const first = addresses[0]
    if (usable.length === 0) {
      throw new StorageError(
        'UNREACHABLE',
        first
          ? `The address ${first.address} is not allowed: loopback, link-local and special addresses are refused unless ` +
              'FTPCLUSTER_ALLOW_NETWORKS lists them.'
          : 'The host name has no address.',
      )
    }
    return race(usable, port, stop, stopped, onread)
  }
}

function aborted(signal: AbortSignal): StorageError {
  return new StorageError('ABORTED', 'Connecting was stopped.', { cause: signal.reason })
}

async function resolveName(
  host: string,
  resolve: (host: string) => Promise<readonly HostAddress[]>,
): Promise<readonly HostAddress[]> {
  try {
    return await resolve(host)
  } catch (error) {
    if (isOverload(error)) throw overloaded(error)
    throw new StorageError('UNREACHABLE', 'The host name cannot be resolved.', { cause: error })
  }
}

function unlessStopped<T>(work: Promise<T>, stop: AbortSignal, reason: () => StorageError): Promise<T> {
  return new Promise((resolve, reject) => {
    const onStop = () => reject(reason())
    if (stop.aborted) onStop()
    stop.addEventListener('abort', onStop, { once: true })
    work.then(resolve, reject).finally(() => stop.removeEventListener('abort', onStop))
  })
}

/** Connects to the first address that answers; the others are dropped. */
function race(
  addresses: readonly HostAddress[],
  port: number,
  stop: AbortSignal,
  stopped: () => StorageError,
  onread: DialOptions['onread'],
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const waiting = interleaved(addresses)
    const sockets = new Set<Socket>()
    let timer: NodeJS.Timeout | undefined
    let lastError: Error | undefined

    const settle = (winner: Socket | undefined, error?: StorageError) => {
      clearTimeout(timer)
      stop.removeEventListener('abort', onStop)
      for (const socket of sockets) if (socket !== winner) socket.destroy()
      sockets.clear()
      if (winner) resolve(winner)
      else reject(error ?? new StorageError('UNREACHABLE', 'The server cannot be reached.'))
    }
    const onStop = () => settle(undefined, stopped())
    const tryNext = () => {
      clearTimeout(timer)
      const next = waiting.shift()
      if (!next) {
        if (sockets.size === 0) settle(undefined, unreachable(lastError))
        return
      }
      const reading = onread && { onread: onread(() => socket) }
      const target = { host: next.address, port, family: next.family, noDelay: true, autoSelectFamily: false }
      const socket: Socket = connect({ ...target, ...reading })
      sockets.add(socket)
      const onError = (error: Error) => {
        lastError = error
        sockets.delete(socket)
        tryNext()
      }
      // A loser's late error has nobody to tell.
      socket.on('error', () => undefined)
      socket.once('error', onError)
      socket.once('connect', () => {
        if (!sockets.has(socket)) return
        socket.removeAllListeners('error')
        settle(socket)
      })
      if (waiting.length > 0) timer = setTimeout(tryNext, ATTEMPT_DELAY)
    }

    if (stop.aborted) {
      onStop()
      return
    }
    stop.addEventListener('abort', onStop, { once: true })
    tryNext()
  })
}

function unreachable(cause: Error | undefined): StorageError {
  if (isOverload(cause)) return overloaded(cause)
  const code = cause && 'code' in cause ? cause.code : undefined
  const why =
    code === 'ECONNREFUSED'
      ? 'The server refused the connection.'
      : `The server cannot be reached (${reasonOf(cause)}).`
  return new StorageError('UNREACHABLE', why, { cause })
}

/** This process, or this machine, has as many files open as it may. */
function isOverload(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE')
}

function overloaded(cause: unknown): StorageError {
  return new StorageError('OVERLOADED', 'The gateway has no file descriptor left.', { cause })
}

/** An errno such as EHOSTUNREACH: the message of a socket error would show the address. */
function reasonOf(cause: Error | undefined): string {
  return cause && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'connect failed'
}

/** Families in turn, the resolver's first one first (RFC 8305 section 4). */
function interleaved(addresses: readonly HostAddress[]): HostAddress[] {
  const family = addresses[0]?.family
  const first = addresses.filter((address) => address.family === family)
  const second = addresses.filter((address) => address.family !== family)
  return first
    .flatMap((address, index) => [address, second[index]].filter((a) => a !== undefined))
    .concat(second.slice(first.length))
}

function toBlockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', prefix] = cidr.trim().split('/')
    const version = isIP(address)
    const bits = prefix === undefined ? (version === 6 ? 128 : 32) : Number(prefix)
    try {
      if (version === 0 || prefix === '') throw new Error('not an IP network')
      list.addSubnet(address, bits, version === 6 ? 'ipv6' : 'ipv4')
    } catch (error) {
      throw new RangeError(`"${cidr}" is not a network like 10.0.0.0/8 or fd00::/8: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }
  return list
}
