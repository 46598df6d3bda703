import { Store, type SessionData } from 'express-session'
import type { Sessions } from '../../auth/sessions.js'

/** A session ends when nothing happened in it for so long, and so long after its start at the latest. */
export const IDLE_MS = 30 * 60_000
export const ABSOLUTE_MS = 12 * 3600_000

type Callback = (error?: unknown) => void

/** express-session's store on the sessions of `auth/`, which know the hash of an id only. */
export class SessionStore extends Store {
  constructor(
    private readonly sessions: Pick<Sessions, 'load' | 'save' | 'touch' | 'destroy'>,
    private readonly now: () => number = Date.now,
  ) {
    super()
  }

  override get(id: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    this.sessions.load(id).then(
      (record) => callback(null, record ? (JSON.parse(record.data) as SessionData) : null),
      (error: unknown) => callback(error),
    )
  }

  override set(id: string, session: SessionData, callback?: Callback): void {
    const { userId, address = '', userAgent = '' } = session
    const row = { data: JSON.stringify(session), expiresAt: this.#endOf(session), address, userAgent }
    settle(this.sessions.save(id, { ...row, ...(userId === undefined ? {} : { userId }) }), callback)
  }

  override touch(id: string, session: SessionData, callback?: () => void): void {
    settle(this.sessions.touch(id, this.#endOf(session)), callback)
  }

  override destroy(id: string, callback?: Callback): void {
    settle(this.sessions.destroy(id), callback)
  }

  #endOf({ startedAt }: SessionData): Date {
    const now = this.now()
    return new Date(Math.min(now + IDLE_MS, (startedAt ?? now) + ABSOLUTE_MS))
  }
}

function settle(work: Promise<unknown>, callback: Callback | undefined): void {
  work.then(
    () => callback?.(),
    (error: unknown) => callback?.(error),
  )
}
