import type { Account, ServerLimits } from '../../src/storage/account.js'
import type {
  Connection,
  Driver,
  Endpoint,
  Entry,
  Listing,
  Login,
  OperationOptions,
  Traits,
} from '../../src/storage/driver.js'
import { StorageError, type StorageErrorCode } from '../../src/storage/errors.js'

/** A promise that the test settles. */
export class Gate<T = void> {
  readonly promise: Promise<T>
  open!: (value: T) => void
  fail!: (error: Error) => void

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.open = resolve
      this.fail = reject
    })
  }
}

export function lost(): StorageError {
  return new StorageError('CONNECTION_LOST', 'The connection broke.')
}

/** A connection that answers as told: `stat` names whose it is, `traits.fingerprint` which it is. */
export class ScriptedConnection implements Connection {
  readonly home: string
  readonly traits: Traits
  open = true
  closings = 0
  pings = 0
  /** What the next `ping` does. */
  onPing: () => Promise<void> = () => Promise.resolve()
  /** What `stat` does instead of answering. */
  onStat: (() => Promise<Entry>) | undefined
  readonly #closed = new Gate<never>()

  constructor(
    readonly name: string,
    readonly username: string,
    private readonly onClose: () => void,
  ) {
    this.home = `/home/${username}`
    this.traits = { renameReplaces: true, fingerprint: name }
    this.#closed.promise.catch(() => undefined)
  }

  stat(path: string): Promise<Entry> {
    if (this.onStat !== undefined) return this.onStat()
    return Promise.resolve({
      name: this.username,
      type: 'file',
      symlink: false,
      size: path.length,
      modified: undefined,
    })
  }

  list(): Promise<Listing> {
    return this.#closed.promise
  }

  read(): Promise<number> {
    return this.#closed.promise
  }

  write(): Promise<number> {
    return this.#closed.promise
  }

  ping(): Promise<void> {
    this.pings++
    return Promise.race([this.onPing(), this.#closed.promise])
  }

  close(): void {
    if (!this.open) return
    this.open = false
    this.closings++
    this.#closed.fail(lost())
    this.onClose()
  }

  /** The other side hangs up. */
  hangUp(): void {
    this.open = false
    this.onClose()
  }

  makeDirectory = (): Promise<void> => Promise.resolve()
  removeFile = (): Promise<void> => Promise.resolve()
  removeDirectory = (): Promise<void> => Promise.resolve()
  rename = (): Promise<void> => Promise.resolve()
}

type Answer = 'ok' | StorageErrorCode | StorageError | Promise<'ok' | StorageErrorCode>

/** Keeps a log of `connect`, `close` and counts what is open; answers connects from a script. */
export class ScriptedDriver implements Driver {
  readonly log: string[] = []
  readonly connections: ScriptedConnection[] = []
  attempts = 0
  connecting = 0
  mostConnecting = 0
  open = 0
  mostOpen = 0
  /** Answers one connect: number of the attempt from 1, and whose it is. */
  answer: (attempt: number, username: string) => Answer = () => 'ok'

  async connect(_endpoint: Endpoint, login: Login, options: OperationOptions = {}): Promise<Connection> {
    const attempt = ++this.attempts
    const name = `${login.username}#${attempt}`
    this.log.push(`connect ${name}`)
    this.mostConnecting = Math.max(this.mostConnecting, ++this.connecting)
    try {
      const cancelled = new Promise<'ABORTED'>((resolve) => {
        options.signal?.addEventListener('abort', () => resolve('ABORTED'), { once: true })
      })
      const answer = await Promise.race([this.answer(attempt, login.username), cancelled])
      if (answer instanceof StorageError) throw answer
      if (answer !== 'ok') throw new StorageError(answer, `scripted: ${answer}`)
    } finally {
      this.connecting--
    }
    const connection = new ScriptedConnection(name, login.username, () => {
      this.open--
      this.log.push(`close ${name}`)
    })
    this.mostOpen = Math.max(this.mostOpen, ++this.open)
    this.connections.push(connection)
    return connection
  }

  fingerprint(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  /** The connection made last. */
  get last(): ScriptedConnection {
    const connection = this.connections.at(-1)
    if (connection === undefined) throw new Error('nothing connected yet')
    return connection
  }
}

/** An account `username` on server `id`, with generous limits unless told otherwise. */
export function account(
  username: string,
  options: { id?: number; limits?: Partial<ServerLimits>; version?: string; secret?: number } = {},
): Account {
  const { id = 1, limits, version = 'v1', secret = 1 } = options
  return {
    key: `${id}:${username}:${secret}`,
    login: { username, password: `secret ${secret}` },
    server: {
      id,
      alias: `server${id}`,
      version,
      limits: { maxConnections: 10, maxConnectionsPerAccount: 4, ...limits },
      endpoint: { protocol: 'ftp', host: 'files.example', port: 21, trust: { kind: 'none' } },
    },
  }
}
