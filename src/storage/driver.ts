import type { OnReadOpts, Socket } from 'node:net'

/**
 * The contract of storage: what a driver can do with one account on one server. Everything above speaks only this.
 *
 * Paths are absolute remote paths: they start with `/`, have no `.`, `..` or empty segment and no trailing slash (the root
 * is `/`), hold no control character, and mean exactly the bytes they spell: no globbing, no options, no home shortcut.
 * `storage/remote-path.ts` makes them. Names are kept as they are (NFC or NFD).
 *
 * Errors are `StorageError`s. Each says whether the connection is still in step; `connections.ts` alone decides from that
 * whether it goes back to the pool.
 */

export type Protocol = 'ftp' | 'ftps' | 'ftps-implicit' | 'sftp'

export type EntryType = 'file' | 'directory' | 'other'

/** What `stat` and `list` return. */
export interface Entry {
  /** Last segment of the path as the server spells it; '' for the root. */
  readonly name: string
  /** Of what a symbolic link points to; a dangling link is `other`. */
  readonly type: EntryType
  /** True for a symbolic link. Recursive operations never enter one. */
  readonly symlink: boolean
  /** Bytes; 0 for a directory. */
  readonly size: number
  /**
   * Milliseconds since the epoch, as exact as the server tells it in a listing: `stat` and `list` of the same unchanged
   * file give the same number. Undefined where the server does not tell.
   */
  readonly modified: number | undefined
  /** Permission bits (0o7777), where known. */
  readonly mode?: number
  /** Server's identity of the file (MLSD `unique`), where known. */
  readonly unique?: string
}

export interface Listing {
  /** Modification time of the folder itself, where the listing tells (SFTP `.`, MLSD `cdir`). */
  readonly selfModified: number | undefined
  /** Without `.` and `..`; names are unique. */
  readonly entries: readonly Entry[]
}

export interface OperationOptions {
  /** Stops the operation: it rejects with ABORTED. */
  readonly signal?: AbortSignal | undefined
}

/** Bytes `start` to `end`, both counted from 0 and included, as in RFC 9110. No `end`: to the end of the file. */
export interface ByteRange {
  readonly start: number
  readonly end?: number | undefined
}

/**
 * Takes the next bytes of a read. The chunk is the driver's again as soon as the returned promise settles (at once when
 * nothing is returned). Throwing ends the read with that error.
 */
export type ByteSink = (chunk: Buffer) => void | Promise<void>

export interface OpenOptions extends OperationOptions {
  /** What will likely be read: it may be asked for ahead. An end before the start: nothing. */
  readonly likely?: ByteRange | undefined
  /** It was a symbolic link when somebody looked. */
  readonly symlink?: boolean | undefined
}

/** A file that one connection has opened to read: given to its `read`, or closed. */
export interface OpenFile {
  /** What was opened, or stood there a moment before. */
  readonly entry: Entry
  /** The bytes of a read are those of `entry`, whatever is renamed over its name meanwhile. */
  readonly held: boolean
  /** Nothing waits for it. Does nothing after `read`, which closes by itself. */
  close(): void
}

export interface ReadOptions extends OperationOptions {
  /** What this connection's `openFile` returned for the same path. */
  readonly opened?: OpenFile | undefined
}

export interface WriteOptions extends OperationOptions {
  /** Refuse with ALREADY_EXISTS when something has that name, where the server can tell in one step (SFTP `wx`). */
  readonly exclusive?: boolean
  /** Permission bits for a new file, where the server takes them on creation. */
  readonly mode?: number | undefined
  /** Bytes that `source` will yield, where known: a hint. */
  readonly size?: number | undefined
  /**
   * Told what stands there once everything is stored and confirmed, as `stat` would tell, where the driver can ask that in
   * the same go. Not for symbolic links.
   */
  readonly onStored?: ((entry: Entry) => void) | undefined
}

export interface FreeSpace {
  /** Bytes that this account can still write. */
  readonly available: number
  /** Bytes in use, where known. */
  readonly used: number | undefined
}

/** Facts about a server that have no method. */
export interface Traits {
  /** True: `rename` replaces an existing file in one step. False: it refuses. Undefined: not known before it is tried. */
  readonly renameReplaces: boolean | undefined
  /** What the peer showed on connecting: `SHA256:…` of the host key or certificate; undefined for plain FTP. */
  readonly fingerprint: string | undefined
}

/**
 * One logged-in connection: one view of one account. One operation at a time. A deadline of the driver stands over every
 * call, so each settles; TIMED_OUT, CONNECTION_LOST and an unclear ABORTED leave the connection unusable.
 */
export interface Connection {
  /** Where the login landed (`PWD`, `realpath .`), absolute. */
  readonly home: string
  readonly traits: Traits
  /**
   * False once the connection has ended, whoever ended it. A driver closes a connection that a sink, a source or a signal
   * left out of step before it passes their error on.
   */
  readonly open: boolean

  /** Follows symbolic links. @throws NOT_FOUND, DENIED */
  stat(path: string, options?: OperationOptions): Promise<Entry>

  /**
   * The whole folder or an error: never a shorter list, never an empty one for a folder that could not be read.
   * @throws NOT_FOUND, NOT_A_DIRECTORY, DENIED, PROTOCOL (an entry cannot be understood), TOO_LARGE
   */
  list(path: string, options?: OperationOptions): Promise<Listing>

  /**
   * Feeds `sink` with the bytes of a file, and resolves when the server confirmed the end or the range is complete.
   * A slow sink slows the server down and does not count as a stall. Reading past the end yields nothing.
   * @returns bytes given to the sink
   * @throws NOT_FOUND, DENIED, IS_A_DIRECTORY; whatever the sink throws, as it is
   */
  read(path: string, range: ByteRange | undefined, sink: ByteSink, options?: ReadOptions): Promise<number>

  /**
   * Creates or truncates the file and stores `source`; resolves only after the server confirmed. On any failure what was
   * stored so far may remain: writing atomically is `vfs/`'s work. An error of `source` is thrown as it is.
   * @returns bytes stored
   * @throws NOT_FOUND (no such folder), DENIED, NO_SPACE, ALREADY_EXISTS (`exclusive`), IS_A_DIRECTORY
   */
  write(path: string, source: AsyncIterable<Uint8Array>, options?: WriteOptions): Promise<number>

  /** @throws ALREADY_EXISTS, NOT_FOUND (no such parent), DENIED, NO_SPACE */
  makeDirectory(path: string, options?: OperationOptions): Promise<void>

  /** Removes a file, or a symbolic link itself. @throws NOT_FOUND, IS_A_DIRECTORY, DENIED */
  removeFile(path: string, options?: OperationOptions): Promise<void>

  /** Removes an empty folder. @throws NOT_FOUND, NOT_EMPTY, NOT_A_DIRECTORY, DENIED */
  removeDirectory(path: string, options?: OperationOptions): Promise<void>

  /**
   * Renames in one step, replacing an existing *file* where the server can.
   * @throws ALREADY_EXISTS (the target exists and this server does not replace; both are untouched), NOT_FOUND, DENIED
   */
  rename(from: string, to: string, options?: OperationOptions): Promise<void>

  /** A cheap question that only a living, in-step connection answers. */
  ping(options?: OperationOptions): Promise<void>

  /** Ends the connection at once; pending calls reject. Safe to call again. */
  close(): void

  /**
   * Looks at a file and opens it, in fewer round trips than `stat` and `read`. Only for what was a regular file when somebody
   * looked: opening a pipe waits for its other end. It may have become something else: `entry` tells.
   * @throws NOT_FOUND, DENIED, IS_A_DIRECTORY
   */
  openFile?(path: string, options?: OpenOptions): Promise<OpenFile>
  /** Sets the modification time, in milliseconds since the epoch. */
  setModified?(path: string, modified: number, options?: OperationOptions): Promise<void>
  setMode?(path: string, mode: number, options?: OperationOptions): Promise<void>
  /** Copies a file on the server itself; may decline with UNSUPPORTED. */
  copyFile?(from: string, to: string, options?: OperationOptions): Promise<void>
  freeSpace?(path: string, options?: OperationOptions): Promise<FreeSpace>
  /** Canonical path with links resolved. @throws NOT_FOUND */
  realPath?(path: string, options?: OperationOptions): Promise<string>
  /** Makes stored bytes durable (`fsync@openssh.com`). */
  sync?(path: string, options?: OperationOptions): Promise<void>
}

/** Whom we must be talking to before a credential is sent. */
export type Trust =
  /** `SHA256:…`, any of them: SSH host keys in OpenSSH's form (base64 without padding), certificates likewise over the DER. */
  | { readonly kind: 'pinned'; readonly fingerprints: readonly string[] }
  /** FTPS: a certificate that the system's CAs vouch for and that names the host. */
  | { readonly kind: 'public-ca' }
  /** Plain FTP, where there is nothing to check. */
  | { readonly kind: 'none' }

/** How to reach one server. */
export interface Endpoint {
  readonly protocol: Protocol
  readonly host: string
  readonly port: number
  readonly trust: Trust
  /** Encoding of names on the server; UTF-8 unless the admin says otherwise. */
  readonly encoding?: 'utf8' | 'latin1'
}

export interface Login {
  readonly username: string
  readonly password?: string | undefined
  /** PEM or OpenSSH private key. */
  readonly privateKey?: string | undefined
  readonly passphrase?: string | undefined
}

/** Milliseconds; every wait of a driver ends by one of these. */
export interface Deadlines {
  /** TCP connect + TLS + login + greeting questions, together. */
  readonly connect: number
  /** One metadata operation, all its commands together. */
  readonly metadata: number
  /** From asking for a transfer to its first byte or confirmation. */
  readonly firstByte: number
  /** Without progress during a transfer, counted only while the server is the one to act. */
  readonly stall: number
}

/** A listing may take this many times the deadline of a metadata operation while it keeps coming. */
export const LISTING_PATIENCE = 10

/** Resolves a host and opens the TCP connection; the place where the address rules of the deployment are enforced. */
export type Dialer = (host: string, port: number, options: DialOptions) => Promise<Socket>

export interface DialOptions extends OperationOptions {
  /** Makes what a socket reads to, for each that is tried. */
  readonly onread?: (socket: () => Socket) => OnReadOpts
}

/** The code that speaks one protocol. */
export interface Driver {
  /**
   * Connects, checks trust, logs in. Tries once.
   * @throws UNREACHABLE, TIMED_OUT, UNTRUSTED, LOGIN_REJECTED, BUSY (too many connections), PROTOCOL
   */
  connect(endpoint: Endpoint, login: Login, options?: OperationOptions): Promise<Connection>

  /** The fingerprint that the server shows, without sending a credential; undefined for plain FTP. */
  fingerprint(endpoint: Omit<Endpoint, 'trust'>, options?: OperationOptions): Promise<string | undefined>
}
