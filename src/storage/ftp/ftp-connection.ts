import {
  LISTING_PATIENCE,
  type ByteRange,
  type ByteSink,
  type Connection,
  type Entry,
  type FreeSpace,
  type Listing,
  type OpenFile,
  type OpenOptions,
  type OperationOptions,
  type ReadOptions,
  type Traits,
  type WriteOptions,
} from '../driver.js'
import { StorageError } from '../errors.js'
import { joinRemote } from '../remote-path.js'
import { assertSendable, type Reply } from './control-channel.js'
import { download } from './download.js'
import { enter } from './enter.js'
import { formatTimeValue } from './facts.js'
import { FileToRead, retrieve } from './file-to-read.js'
import { codeInText, refusal } from './ftp-errors.js'
import { fetchNames, toListing, unlistable } from './listing.js'
import { explain, explainNew, find, probe, throwGeneral } from './lookup.js'
import { askBoth, within, type Session } from './session.js'
import { upload } from './upload.js'

/** One logged-in FTP or FTPS connection. Only absolute paths are sent; the current directory is set just before a listing. */
export class FtpConnection implements Connection {
  readonly setModified?: NonNullable<Connection['setModified']>
  readonly freeSpace?: NonNullable<Connection['freeSpace']>
  #renameReplaces: boolean | undefined

  constructor(
    private readonly session: Session,
    readonly home: string,
  ) {
    const { features } = session
    if (features.mfmt || features.mdtm) {
      this.setModified = (path, modified, options) => this.#setModified(path, modified, options)
    }
    if (features.avbl) this.freeSpace = (path, options) => this.#freeSpace(path, options)
  }

  get traits(): Traits {
    return { renameReplaces: this.#renameReplaces, fingerprint: this.session.tls?.fingerprint }
  }

  get open(): boolean {
    return this.session.channel.open
  }

  close(): void {
    this.session.channel.end(new StorageError('CONNECTION_LOST', 'The connection was closed.'))
  }

  stat(path: string, options?: OperationOptions): Promise<Entry> {
    return this.#metadata([path], options, async () => {
      const found = await find(this.session, path)
      if ('code' in found) throw refusal(found.code, undefined)
      return found.entry
    })
  }

  list(path: string, options: OperationOptions = {}): Promise<Listing> {
    const patience = this.session.deadlines.metadata * LISTING_PATIENCE
    return this.#within(patience, [path], options, async () => {
      const { session } = this
      // Only the transfer may take long, and it is watched itself.
      await this.#metadata([path], options, async () => {
        const entered = await enter(session, path)
        if (entered.code < 300) return
        throw await explain(session, path, entered, { file: 'NOT_A_DIRECTORY', other: 'NOT_A_DIRECTORY' })
      })
      const names = await fetchNames(session, {})
      if ('refused' in names) throw unlistable(names.refused)
      const base = path === '/' ? '' : path
      return toListing(names, (name) => this.#metadata([], options, () => probe(session, `${base}/${name}`)))
    })
  }

  /**
   * FTP knows no open files: what is read is what stands there then. But nothing comes between the look and the reading, such
   * as the wait for a connection. A link may take more than a look.
   */
  async openFile(path: string, options: OpenOptions = {}): Promise<OpenFile> {
    const { session } = this
    const { likely, symlink = false } = options
    const { start = 0, end = likely ? Infinity : -1 } = likely ?? {}
    // proftpd ends the session when a data connection is given up soon after the handshake.
    const mayGiveUp = session.tls === undefined
    if (start <= end && session.pipelines && mayGiveUp && !(symlink && session.features.mlst)) {
      const file = await this.#metadata([path], options, () => FileToRead.open(session, path, start))
      if (file !== undefined) return file
    }
    return { entry: await this.stat(path, options), held: false, close: () => undefined }
  }

  async read(
    path: string,
    range: ByteRange | undefined,
    sink: ByteSink,
    { signal, opened }: ReadOptions = {},
  ): Promise<number> {
    this.#check([path])
    const { start = 0, end } = range ?? {}
    const length = end === undefined ? undefined : end - start + 1
    const job = { command: retrieve(path), offset: start, length, sink, signal }
    const begun = opened instanceof FileToRead ? opened.take(start) : undefined
    const { bytes, reply } = await download(this.session, job, begun)
    if (reply === undefined || reply.code < 300) return bytes
    return this.#metadata([path], { signal }, async () => {
      if (start > 0) {
        // Whether a refused RETR forgot the offset is not said anywhere; a STOR must not find it.
        await this.#command('REST 0')
        const found = await find(this.session, path)
        if ('entry' in found && found.entry.type === 'file' && found.entry.size <= start) return bytes
      }
      throw await explain(this.session, path, reply, { directory: 'IS_A_DIRECTORY' })
    })
  }

  async write(path: string, source: AsyncIterable<Uint8Array>, options: WriteOptions = {}): Promise<number> {
    this.#check([path])
    const { bytes, reply } = await upload(this.session, { command: `STOR ${path}`, source, signal: options.signal })
    if (reply.code < 300) return bytes
    if (codeInText(reply) === 'NO_SPACE') throw refusal('NO_SPACE', reply)
    throwGeneral(reply)
    // vsftpd and pure-ftpd name no reason for 451; what fails in the middle of storing is the disk.
    if (reply.code === 451 && bytes > 0) throw refusal('NO_SPACE', reply)
    return this.#metadata([path], options, async () => {
      const found = await find(this.session, path)
      if ('code' in found) throw await explainNew(this.session, path, reply)
      throw refusal(found.entry.type === 'directory' ? 'IS_A_DIRECTORY' : 'DENIED', reply)
    })
  }

  makeDirectory(path: string, options?: OperationOptions): Promise<void> {
    return this.#metadata([path], options, async () => {
      const reply = await this.#command(`MKD ${path}`)
      if (reply.code < 300) return
      throwGeneral(reply)
      if (codeInText(reply) === 'NO_SPACE') throw refusal('NO_SPACE', reply)
      const found = await find(this.session, path)
      if ('entry' in found) throw refusal('ALREADY_EXISTS', reply)
      const error = await explainNew(this.session, path, reply)
      // Nothing forbids it now: the folder above has come since, or the server does not tell why it refuses.
      const unexplained = error instanceof StorageError && error.code === 'DENIED' && codeInText(reply) !== 'DENIED'
      if (!unexplained) throw error
      if ((await this.#command(`MKD ${path}`)).code < 300) return
      // Somebody else may have made it between the two.
      throw 'entry' in (await find(this.session, path)) ? refusal('ALREADY_EXISTS', reply) : error
    })
  }

  removeFile(path: string, options?: OperationOptions): Promise<void> {
    return this.#metadata([path], options, async () => {
      const reply = await this.#command(`DELE ${path}`)
      if (reply.code < 300) return
      throw await explain(this.session, path, reply, { directory: 'IS_A_DIRECTORY' })
    })
  }

  removeDirectory(path: string, options?: OperationOptions): Promise<void> {
    return this.#metadata([path], options, async () => {
      const reply = await this.#command(`RMD ${path}`)
      if (reply.code < 300) return
      const error = await explain(this.session, path, reply, { file: 'NOT_A_DIRECTORY', other: 'NOT_A_DIRECTORY' })
      if (!(error instanceof StorageError) || error.code !== 'DENIED') throw error
      const entered = await enter(this.session, path)
      const names = entered.code < 300 ? await fetchNames(this.session, {}) : undefined
      const full = names !== undefined && 'names' in names && names.names.some(({ name }) => !/^\.\.?$/.test(name))
      throw full ? refusal('NOT_EMPTY', reply) : error
    })
  }

  rename(from: string, to: string, options?: OperationOptions): Promise<void> {
    return this.#metadata([from, to], options, async () => {
      const together = this.session.pipelines && !this.session.renameBegun
      const [source, askName] = await askBoth(this.session, `RNFR ${from}`, `RNTO ${to}`, together)
      if (source.code !== 350) throw await explain(this.session, from, source, {})
      const reply = await askName()
      // Whether a refused RNTO forgot its RNFR is not said anywhere.
      this.session.renameBegun = reply.code >= 300
      if (reply.code < 300) return
      throwGeneral(reply)
      const found = await find(this.session, to)
      if ('code' in found) {
        // Not every server looks at the source before the second command.
        const old = await find(this.session, from)
        throw 'code' in old ? refusal(old.code, reply) : await explainNew(this.session, to, reply)
      }
      if (found.entry.type === 'file') this.#renameReplaces = false
      throw refusal('ALREADY_EXISTS', reply)
    })
  }

  ping(options?: OperationOptions): Promise<void> {
    return this.#metadata([], options, async () => {
      const reply = await this.#command('NOOP')
      if (reply.code === 200) return
      this.close()
      throw new StorageError('PROTOCOL', 'The server answers out of step.', { cause: new Error(reply.text) })
    })
  }

  setMode(path: string, mode: number, options?: OperationOptions): Promise<void> {
    return this.#metadata([path], options, async () => {
      const reply = await this.#command(`SITE CHMOD ${(mode & 0o7777).toString(8).padStart(3, '0')} ${path}`)
      if (reply.code >= 300) throw await explain(this.session, path, reply, {})
    })
  }

  /** MFMT (draft-somers-ftp-mfxx); else MDTM with a time, as vsftpd takes it. */
  #setModified(path: string, modified: number, options?: OperationOptions): Promise<void> {
    return this.#metadata([path], options, async () => {
      const { mfmt } = this.session.features
      const reply = await this.#command(`${mfmt ? 'MFMT' : 'MDTM'} ${formatTimeValue(modified)} ${path}`)
      if (reply.code < 300) return
      const error = await explain(this.session, path, reply, {})
      // A server that reads time and path as one name does not find that.
      const understood = mfmt || !(error instanceof StorageError) || error.code !== 'DENIED'
      throw understood ? error : refusal('UNSUPPORTED', reply)
    })
  }

  /** AVBL, draft-peterson-streamlined-ftp-command-extensions. */
  #freeSpace(path: string, options?: OperationOptions): Promise<FreeSpace> {
    return this.#metadata([path], options, async () => {
      const reply = await this.#command(`AVBL ${path}`)
      const available = reply.code === 213 ? /^213 (\d{1,16})/.exec(reply.text)?.[1] : undefined
      if (available === undefined) throw await explain(this.session, path, reply, {})
      return { available: Number(available), used: undefined }
    })
  }

  #command(line: string): Promise<Reply> {
    return this.session.channel.command(line)
  }

  #metadata<T>(paths: string[], options: OperationOptions | undefined, work: () => Promise<T>): Promise<T> {
    return this.#within(this.session.deadlines.metadata, paths, options, work)
  }

  async #within<T>(
    milliseconds: number,
    paths: readonly string[],
    options: OperationOptions = {},
    work: () => Promise<T>,
  ): Promise<T> {
    this.#check(paths)
    return within(this.session, milliseconds, options, work)
  }

  /** @throws INVALID_NAME before anything is sent */
  #check(paths: readonly string[]): void {
    for (const path of paths) {
      if (path !== '/') joinRemote('/', ...path.slice(1).split('/'))
      assertSendable(path, this.session.channel.encoding === 'latin1' ? 'latin1' : 'utf8')
    }
  }
}
