import { LRUCache } from 'lru-cache'
import type { TLSSocket } from 'node:tls'
import type { Connection, Deadlines, Dialer, Driver, Endpoint, Login, OperationOptions, Trust } from '../driver.js'
import { atLogin, StorageError } from '../errors.js'
import { resolveRemote } from '../remote-path.js'
import { assertSendable, ControlChannel, type Reply } from './control-channel.js'
import { DataConnections } from './data-connections.js'
import { FtpConnection } from './ftp-connection.js'
import { loginFault } from './ftp-errors.js'
import { aborted, timedOut, type Features, type Session } from './session.js'
import { secure, type TlsIdentity } from './tls-trust.js'

export interface FtpDriverOptions {
  readonly deadlines: Deadlines
  readonly dial: Dialer
}

/**
 * How long a server may take to answer what a login sets up, when it is sent in one write. One that reads a packet as a
 * command waits, or answers once, or ends the session: it
 * is logged in to anew, and sent one command at a time from then on.
 */
const PATIENCE = 3_000
const REMEMBERED_SERVERS = 1_000
const REMEMBERED_FOR = 60 * 60 * 1000

/** Facts of MLSD that are read. */
const FACTS = ['type', 'size', 'modify', 'unique', 'unix.mode']

/** Speaks FTP (RFC 959, RFC 3659), FTPS with AUTH TLS (RFC 4217) and with TLS from the first byte. */
export function createFtpDriver({ deadlines, dial }: FtpDriverOptions): Driver {
  /** Servers that did not take several commands at once. */
  const oneByOne = new LRUCache<string, true>({ max: REMEMBERED_SERVERS, ttl: REMEMBERED_FOR })

  /** Runs `work` on a new channel until the deadline of connecting. */
  async function attempt<T>(
    endpoint: Omit<Endpoint, 'trust'>,
    { signal }: OperationOptions,
    until: number,
    work: (channel: ControlChannel) => Promise<T>,
  ): Promise<T> {
    if (signal?.aborted) throw aborted(signal, false)
    const channel = new ControlChannel(endpoint.encoding ?? 'utf8')
    const timer = setTimeout(() => channel.end(timedOut(deadlines.connect)), until - performance.now())
    const onAbort = () => channel.end(aborted(signal, false))
    signal?.addEventListener('abort', onAbort)
    try {
      return await work(channel)
    } catch (error) {
      const told = channel.ended.aborted && !(error instanceof NotTogether)
      const reason: unknown = told ? channel.ended.reason : error
      channel.end(new StorageError('CONNECTION_LOST', 'Connecting failed.'))
      throw reason
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  async function open(
    channel: ControlChannel,
    endpoint: Omit<Endpoint, 'trust'>,
    trust: Trust | 'any',
  ): Promise<TlsIdentity | undefined> {
    const { host, port, protocol } = endpoint
    const raw = await dial(host, port, { signal: channel.ended })
    raw.setNoDelay(true)
    if (protocol === 'ftps-implicit') {
      const { socket, identity } = await secure(raw, host, trust, channel.ended)
      const tickets = keepTickets(socket)
      channel.adopt(socket)
      tickets.to(channel)
      await greeted(channel)
      return identity
    }
    channel.adopt(raw)
    await greeted(channel)
    if (protocol !== 'ftps') return undefined
    const reply = await channel.command('AUTH TLS')
    if (reply.code !== 234) {
      throw new StorageError('UNTRUSTED', 'The server refuses TLS.', { cause: new Error(reply.text) })
    }
    const { socket, identity } = await secure(raw, host, trust, channel.ended)
    const tickets = keepTickets(socket)
    channel.adopt(socket)
    tickets.to(channel)
    return identity
  }

  /** Logs in. @throws NotTogether when `together` was too much for the server */
  async function enter(
    endpoint: Endpoint,
    login: Login,
    options: OperationOptions,
    { until, together }: { readonly until: number; readonly together: boolean },
  ): Promise<Connection> {
    const { protocol, trust, encoding = 'utf8' } = endpoint
    let reached = false
    const connecting = attempt(endpoint, options, until, async (channel) => {
      if (protocol !== 'ftp' && trust.kind === 'none') {
        throw new StorageError('UNTRUSTED', 'No certificate of this server is trusted yet.')
      }
      assertSendable(login.username, encoding)
      assertSendable(login.password ?? '', encoding)
      const tls = await open(channel, endpoint, trust)
      reached = true
      await logIn(channel, login)
      if (tls) await protectData(channel)
      const { features, options: setUp } = await readFeatures(channel)
      const commands = [...setUp, 'TYPE I', 'PWD']
      const home = together
        ? await settledTogether(channel, commands, Math.min(PATIENCE, deadlines.connect / 2))
        : await settled(channel, commands)
      const session: Session = {
        channel,
        deadlines,
        tls,
        features,
        pipelines: together,
        data: new DataConnections({ channel, tls }, { mayPrepare: together }),
        listCommand: undefined,
        renameBegun: false,
        settling: undefined,
      }
      return new FtpConnection(session, home)
    })
    return connecting.catch((error: unknown) => {
      throw reached && !(error instanceof NotTogether) ? atLogin(error) : error
    })
  }

  return {
    connect: async (endpoint: Endpoint, login: Login, options: OperationOptions = {}): Promise<Connection> => {
      const until = performance.now() + deadlines.connect
      const server = `${endpoint.host} ${endpoint.port}`
      const together = !oneByOne.has(server)
      try {
        return await enter(endpoint, login, options, { until, together })
      } catch (error) {
        if (!(error instanceof NotTogether)) throw error
        if (options.signal?.aborted !== true) oneByOne.set(server, true)
        return enter(endpoint, login, options, { until, together: false })
      }
    },

    fingerprint: (endpoint, options = {}) =>
      attempt(endpoint, options, performance.now() + deadlines.connect, async (channel) => {
        if (endpoint.protocol === 'ftp') return undefined
        const identity = await open(channel, endpoint, 'any')
        channel.end(new StorageError('CONNECTION_LOST', 'The connection was closed.'))
        return identity?.fingerprint
      }),
  }
}

/** The channel forgets what came before it took the socket over; a session ticket may come that early. */
function keepTickets(socket: TLSSocket): { to(channel: ControlChannel): void } {
  let ticket: Buffer | undefined
  const keep = (session: Buffer) => (ticket = session)
  socket.on('session', keep)
  return {
    to: (channel) => {
      channel.tlsSessionStore = ticket
    },
  }
}

async function greeted(channel: ControlChannel): Promise<void> {
  const reply = await channel.greeting()
  if (reply.code !== 220) throw loginFault(reply)
}

async function logIn(channel: ControlChannel, { username, password }: Login): Promise<void> {
  const user = await channel.command(`USER ${username}`)
  if (user.code === 230 || user.code === 232) return
  if (user.code !== 331) throw loginFault(user)
  if (password === undefined) throw new StorageError('LOGIN_REJECTED', 'The server asks for a password.')
  const pass = await channel.command(`PASS ${password}`)
  if (pass.code !== 230 && pass.code !== 202 && pass.code !== 232) throw loginFault(pass)
}

/** Data connections are encrypted or there are none, RFC 4217 section 9. */
async function protectData(channel: ControlChannel): Promise<void> {
  await channel.command('PBSZ 0')
  const reply = await channel.command('PROT P')
  if (reply.code !== 200) throw new StorageError('UNTRUSTED', 'The server refuses to encrypt data connections.')
}

/** What FEAT told, and the commands that make use of it. */
async function readFeatures(channel: ControlChannel): Promise<{ features: Features; options: string[] }> {
  const reply = await channel.command('FEAT')
  const lines = reply.code === 211 ? reply.text.split('\n').slice(1, -1) : []
  const features = new Map<string, string>()
  for (const line of lines) {
    const [, name = '', value = ''] = /^\s*(\S+)\s*(.*)$/.exec(line) ?? []
    features.set(name.toUpperCase(), value)
  }
  const options: string[] = []
  if (channel.encoding === 'utf8' && features.has('UTF8')) options.push('OPTS UTF8 ON')
  const facts = features.get('MLST')?.toLowerCase().split(';') ?? []
  // A star marks the facts that are on already.
  if (FACTS.some((fact) => facts.includes(fact))) {
    options.push(`OPTS MLST ${FACTS.filter((fact) => facts.includes(fact) || facts.includes(fact + '*')).join(';')};`)
  }
  return {
    features: {
      mlst: features.has('MLST'),
      mfmt: features.has('MFMT'),
      mdtm: features.has('MDTM'),
      avbl: features.has('AVBL'),
    },
    options,
  }
}

/** Sends the last commands of a login one by one. @returns the home */
async function settled(channel: ControlChannel, commands: readonly string[]): Promise<string> {
  const replies: Reply[] = []
  for (const command of commands) replies.push(await channel.command(command))
  return homeOf(replies)
}

/** The same in one write. @throws NotTogether unless each is answered as it should be */
async function settledTogether(
  channel: ControlChannel,
  commands: readonly string[],
  patience: number,
): Promise<string> {
  const timer = setTimeout(() => channel.end(timedOut(patience)), patience)
  try {
    return homeOf(await channel.together(commands))
  } catch (error) {
    throw new NotTogether('', { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

/** By the replies to TYPE and PWD, which are the last: a path in quotes, in which a quote is doubled. */
function homeOf(replies: readonly Reply[]): string {
  const [type, directory] = replies.slice(-2) as [Reply, Reply]
  if (type.code !== 200) throw protocolFault(type)
  const quoted = /"((?:[^"]|"")*)"/.exec(directory.text)?.[1]
  if (directory.code !== 257 || quoted === undefined) throw protocolFault(directory)
  return resolveRemote('/', quoted.replaceAll('""', '"'))
}

/** The server did not take several commands in one write, or the connection broke over it. */
class NotTogether extends Error {}

function protocolFault(reply: Reply): StorageError {
  return new StorageError('PROTOCOL', 'The server gave an answer that makes no sense here.', {
    cause: new Error(reply.text),
  })
}
