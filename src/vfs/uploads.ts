import type { Connection } from '../storage/driver.js'
import { isStorageError } from '../storage/errors.js'
import { removeTree } from './remove-tree.js'
import type { Mount } from './mount.js'
import type { MountView, Place } from './mount-view.js'
import type { UploadJournal, UploadRecord } from './ports.js'
import type { Logger } from '../logger.js'

/** A journalled change under way: what has to be put right if it is not finished. */
export interface Upload {
  readonly id: number
  readonly view: MountView
  /** May be deleted at any time by whoever heals. */
  readonly temporary: string
  readonly target: string
  readonly startedAt: number
  backup: string | undefined
  /** Whether it is known if the old version stepped aside to `backup`. */
  stepKnown: boolean
}

/** After these pauses a healing that failed is tried again, ms; then the regular sweep does it. */
const RETRY_AFTER = [1_000, 5_000, 15_000, 30_000]
/** A server may do so late what it was asked and never answered: until then an old version may still step aside, ms. */
const LATE_STEP = 3600 * 1000
/** Leftovers of a login that no longer works are given up after this time, ms. */
const GIVE_UP_AFTER = 30 * 24 * 3600 * 1000

/**
 * The journal of uploads and the healing of those that broke: by the request itself while its connection is good, else in
 * the background, and after a crash by the sweep at the next start.
 */
export class Uploads {
  readonly #running = new Set<number>()
  readonly #background = new Set<Promise<void>>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #closed = false

  constructor(
    private readonly journal: UploadJournal,
    private readonly log: Logger,
    /** The mount of a permission, to log in with; undefined when it is gone. */
    private readonly mountOf: (permissionId: number) => Promise<Mount | undefined>,
    private readonly viewOf: (mount: Mount) => MountView,
    readonly now: () => number,
  ) {}

  async begin(place: Place, temporary: string, target: string): Promise<Upload> {
    const { permissionId, account } = place.view.mount
    const row = { permissionId, serverId: account.server.id, temporary, target, startedAt: this.now() }
    const id = await this.journal.begin(row)
    this.#running.add(id)
    return { id, view: place.view, temporary, target, startedAt: row.startedAt, backup: undefined, stepKnown: true }
  }

  /** Lets the old version step aside to `backup`, by `step`. */
  async swapping(upload: Upload, backup: string, step: () => Promise<void>): Promise<void> {
    await this.journal.swapping(upload.id, backup)
    upload.backup = backup
    upload.stepKnown = false
    try {
      await step()
      upload.stepKnown = true
    } catch (error) {
      upload.stepKnown = isStorageError(error) && error.inStep
      throw error
    }
  }

  /** The change is complete; an old version that stepped aside goes now, or later if that fails. */
  async finish(upload: Upload, connection: Connection): Promise<void> {
    try {
      if (upload.backup !== undefined) await removeTree(connection, upload.backup)
    } catch (error) {
      this.log.info({ err: error, upload: upload.id }, 'an old version is removed later')
      return this.#healLater(upload, 0)
    }
    // Not awaited: a row that outlives a crash heals to nothing.
    this.#inBackground(this.#end(upload.id))
  }

  /** Puts right what is left of the change: now if `connection` can, else in the background. Does not fail. */
  async discard(upload: Upload, connection: Connection): Promise<void> {
    if (connection.open) {
      try {
        await this.#heal(connection, upload)
        return
      } catch (error) {
        this.log.warn({ err: error, upload: upload.id }, 'a broken upload is cleaned up later')
      }
    }
    this.#healLater(upload, 0)
  }

  /** Puts right what is left of the change in the background: there is no connection to do it now. */
  abandon(upload: Upload): void {
    this.#healLater(upload, 0)
  }

  /** Heals what an earlier process left. @returns how many rows are left to heal */
  async sweep(): Promise<number> {
    let left = 0
    for (const row of await this.journal.leftovers(this.#running)) {
      if (this.#closed) break
      if (!(await this.#sweepOne(row))) left++
    }
    return left
  }

  /** Sweeps now and, while rows are left, again after growing pauses. */
  sweepSoon(attempt = 0): void {
    this.#inBackground(
      this.sweep().then((left) => {
        if (left > 0) this.#retry(attempt, (next) => this.sweepSoon(next))
      }),
    )
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.allSettled(this.#background)
  }

  async #sweepOne(row: UploadRecord): Promise<boolean> {
    const mount = await this.mountOf(row.permissionId)
    const old = this.now() - row.startedAt > GIVE_UP_AFTER
    if (mount === undefined && !old) return true
    try {
      if (mount === undefined) throw new Error('Its permission is gone.')
      await this.#healAfresh({ ...row, view: this.viewOf(mount), stepKnown: false })
      return true
    } catch (error) {
      const about = { err: error, upload: row, server: row.serverId }
      if (old) {
        this.log.warn(about, 'gave up cleaning an old upload')
        await this.journal.end(row.id)
      } else this.log.info(about, 'an unfinished upload cannot be cleaned up yet')
      return old
    }
  }

  #healLater(upload: Upload, attempt: number): void {
    this.#inBackground(
      this.#healAfresh(upload).catch((error: unknown) => {
        this.log.info({ err: error, upload: upload.id }, 'a broken upload cannot be cleaned up yet')
        const tried = this.#retry(attempt, (next) => this.#healLater(upload, next))
        if (!tried) this.#running.delete(upload.id)
      }),
    )
  }

  async #healAfresh(upload: Upload): Promise<void> {
    const { connections } = upload.view.parts
    await connections.use(upload.view.mount.account, 'metadata', (connection) => this.#heal(connection, upload))
  }

  /** @throws when it has to be done again later */
  async #heal(connection: Connection, upload: Upload): Promise<void> {
    const aside = await heal(connection, upload)
    const mayStillStep = upload.backup !== undefined && !aside && !upload.stepKnown
    if (mayStillStep && this.now() - upload.startedAt < LATE_STEP) {
      throw new Error('The server has not told whether the old version stepped aside: it may still do so.')
    }
    await this.#end(upload.id)
  }

  /** @returns false when the pauses are used up or the gateway stops; the row stays for the next sweep */
  #retry(attempt: number, again: (attempt: number) => void): boolean {
    const pause = RETRY_AFTER[attempt]
    if (pause === undefined || this.#closed) return false
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      again(attempt + 1)
    }, pause)
    timer.unref()
    this.#timers.add(timer)
    return true
  }

  async #end(id: number): Promise<void> {
    await this.journal.end(id)
    this.#running.delete(id)
  }

  #inBackground(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.log.error({ err: error }, 'the upload journal could not be written'))
      .finally(() => this.#background.delete(tracked))
    this.#background.add(tracked)
  }
}

/**
 * Old file back where it belongs if the new one has not arrived; everything temporary gone.
 * @returns whether the old file had stepped aside
 */
async function heal(connection: Connection, { backup, target, temporary }: Upload): Promise<boolean> {
  const aside = backup !== undefined && (await exists(connection, backup))
  if (aside) {
    if (await exists(connection, target)) await removeTree(connection, backup)
    else await connection.rename(backup, target)
  }
  if (temporary !== backup) await removeTree(connection, temporary)
  return aside
}

async function exists(connection: Connection, path: string): Promise<boolean> {
  try {
    await connection.stat(path)
    return true
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND')) return false
    throw error
  }
}
