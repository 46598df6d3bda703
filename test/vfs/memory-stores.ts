import type { LockRecord, LockStore, UploadJournal, UploadRecord } from '../../src/vfs/ports.js'

/** Locks as a database would keep them over a restart. */
export class MemoryLockStore implements LockStore {
  readonly rows = new Map<string, LockRecord>()

  constructor(private readonly now: () => number = Date.now) {}

  load() {
    const now = this.now()
    for (const lock of this.rows.values()) if (lock.expiresAt <= now) this.rows.delete(lock.token)
    return Promise.resolve({ locks: [...this.rows.values()], now })
  }

  insert(lock: LockRecord) {
    this.rows.set(lock.token, lock)
    return Promise.resolve()
  }

  refresh(token: string, expiresAt: number) {
    const lock = this.rows.get(token)
    if (lock) this.rows.set(token, { ...lock, expiresAt })
    return Promise.resolve()
  }

  delete(tokens: readonly string[]) {
    for (const token of tokens) this.rows.delete(token)
    return Promise.resolve()
  }

  /** Users who cannot log in any more. */
  readonly gone = new Set<number>()

  former(userIds: readonly number[]) {
    return Promise.resolve(new Set(userIds.filter((id) => this.gone.has(id))))
  }
}

/** The upload journal; a new tree over the same one is a restart. */
export class MemoryJournal implements UploadJournal {
  readonly rows = new Map<number, UploadRecord>()
  #next = 1

  begin(upload: Omit<UploadRecord, 'id' | 'backup'>) {
    const id = this.#next++
    this.rows.set(id, { ...upload, id, backup: undefined })
    return Promise.resolve(id)
  }

  swapping(id: number, backup: string) {
    const row = this.rows.get(id)
    if (row) this.rows.set(id, { ...row, backup })
    return Promise.resolve()
  }

  end(id: number) {
    this.rows.delete(id)
    return Promise.resolve()
  }

  leftovers(running: ReadonlySet<number>) {
    return Promise.resolve([...this.rows.values()].filter((row) => !running.has(row.id)))
  }
}
