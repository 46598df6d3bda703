import type { Request } from 'express'

/** A message for the next page, after a redirect. */
export interface Flash {
  readonly kind: 'success' | 'danger' | 'warning' | 'info'
  readonly text: string
}

const MAX = 5

export function flash(request: Request, message: Flash): void {
  const waiting = request.session.flashes ?? []
  request.session.flashes = [...waiting, message].slice(-MAX)
}

/** The messages that wait; each is shown once. */
export function takeFlashes(request: Request): readonly Flash[] {
  // An error may come before the session was read.
  const session = request.session as Request['session'] | undefined
  const waiting = session?.flashes ?? []
  if (waiting.length > 0) delete session?.flashes
  return waiting
}
