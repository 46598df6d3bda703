import type { Flash } from '../page/flash.js'

declare module 'express-session' {
  /** What a session remembers. Nothing in it is secret, and nothing comes from the browser. */
  interface SessionData {
    /** Who is logged in, with the state of the user at that time. */
    userId: number
    authVersion: number
    /** Milliseconds since the epoch; a session ends 12 h later whatever happens in it. */
    startedAt: number
    /** Where it was begun, for the list that its user sees. */
    address: string
    userAgent: string
    /** The password was right and the second factor is still missing; milliseconds since the epoch. */
    pending: { readonly userId: number; readonly authVersion: number; readonly since: number }
    mustChangePassword: boolean
    flashes: readonly Flash[]
  }
}
