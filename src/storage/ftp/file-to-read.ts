import type { Entry, OpenFile } from '../driver.js'
import { StorageError } from '../errors.js'
import { fileTold, firstLook } from './lookup.js'
import { Receiver } from './receiver.js'
import type { Session } from './session.js'

/** A regular file that was looked at and asked for at once; its first bytes are under way. */
export class FileToRead implements OpenFile {
  /** FTP knows no open files: the server looks at the name, and opens it then. */
  readonly held = false
  #receiver: Receiver | undefined

  private constructor(
    private readonly session: Session,
    readonly entry: Entry,
    private readonly start: number,
    receiver: Receiver,
  ) {
    this.#receiver = receiver
  }

  /**
   * The look and RETR leave together, as soon as there is a data connection; for a server that takes several commands at once.
   * @returns undefined where the look does not tell of a regular file; nothing is under way then
   */
  static async open(session: Session, path: string, start: number): Promise<FileToRead | undefined> {
    const opened = await session.data.open()
    const retrieval = { command: retrieve(path), offset: start }
    const receiver = new Receiver(session, retrieval, opened, firstLook(session, path))
    try {
      const entry = fileTold(session, path, await receiver.answers)
      if (entry !== undefined) return new FileToRead(session, entry, start, receiver)
    } catch (error) {
      opened.data.reader.destroy()
      throw error
    }
    await receiver.drop()
    return undefined
  }

  /** The transfer, for who wants it from `start` on; one that begins elsewhere is given up. */
  take(start: number): Receiver | undefined {
    if (start !== this.start) this.close()
    const receiver = this.#receiver
    this.#receiver = undefined
    return receiver
  }

  close(): void {
    const { session } = this
    const receiver = this.#receiver
    if (receiver === undefined) return
    this.#receiver = undefined
    const settling = receiver.drop().then(
      () => undefined,
      (cause: unknown) =>
        session.channel.end(new StorageError('CONNECTION_LOST', 'A transfer did not end.', { cause })),
    )
    session.settling = settling.finally(() => (session.settling = undefined))
  }
}

export function retrieve(path: string): string {
  return `RETR ${path}`
}
