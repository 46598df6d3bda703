import type { Stats } from 'ssh2'
import type { ByteRange, ByteSink, Deadlines, Entry, OpenFile, OpenOptions } from '../driver.js'
import { nameOf } from '../remote-path.js'
import { isLink, toEntry } from './sftp-attributes.js'
import { explainRead } from './sftp-diagnosis.js'
import { abortedBy, isStatus } from './sftp-errors.js'
import { Read } from './sftp-read.js'
import type { SftpSession } from './sftp-session.js'

/** A file that was looked at and opened at once; its first bytes are under way. */
export class FileToRead implements OpenFile {
  readonly held = true

  private constructor(
    readonly entry: Entry,
    private readonly reading: Read,
  ) {}

  /**
   * OPEN and LSTAT leave together, then FSTAT and the first reads, if not with them. What is said of the file is said of
   * the opened handle, so that it is true of the bytes that come; the LSTAT tells whether the name is a symbolic link.
   */
  static open(
    session: SftpSession,
    path: string,
    deadlines: Deadlines,
    { likely, signal }: OpenOptions = {},
  ): Promise<FileToRead> {
    return session.operate(deadlines.metadata, { signal }, async () => {
      const reading = new Read(session, path, likely, deadlines)
      try {
        const [opened, own] = await Promise.allSettled([
          reading.open(),
          session.request<Stats>((answer) => session.sftp.lstat(path, answer)),
        ])
        if (opened.status === 'rejected') throw opened.reason
        if (own.status === 'rejected') throw own.reason
        // Nobody waits for it any more.
        if (signal?.aborted) throw abortedBy(signal, true)
        return new FileToRead(toEntry(nameOf(path), opened.value, isLink(own.value)), reading)
      } catch (error) {
        reading.close()
        throw isStatus(error) ? await explainRead(session, path, error) : error
      }
    })
  }

  read(range: ByteRange | undefined, sink: ByteSink, signal: AbortSignal | undefined): Promise<number> {
    this.reading.aim(range)
    return this.reading.run(sink, signal)
  }

  close(): void {
    this.reading.close()
  }
}
