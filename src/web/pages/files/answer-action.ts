import type { Request, Response } from 'express'
import { flash, type Flash } from '../../page/flash.js'
import { wantsPage } from '../../page/wants-page.js'

export interface Done {
  readonly text: string
  readonly kind?: Flash['kind']
  /** Where a browser without the script goes on. */
  readonly back: string
  readonly status?: number
  /** For the script. */
  readonly data?: Readonly<Record<string, unknown>>
}

/** A form goes back to its folder with a message; the script gets JSON. */
export function answerAction(request: Request, response: Response, done: Done): void {
  if (!wantsPage(request)) {
    response.status(done.status ?? 200).set('Cache-Control', 'no-store')
    response.json({ message: done.text, ...done.data })
    return
  }
  flash(request, { kind: done.kind ?? 'success', text: done.text })
  response.redirect(303, done.back)
}
