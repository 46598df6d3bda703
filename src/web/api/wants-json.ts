import type { Request } from 'express'
import { wantsPage } from '../page/wants-page.js'

/** Whether this client gets JSON at a path that is a page too: by what it sends, else by what it accepts. */
export function wantsJson(request: Request): boolean {
  if (request.is('application/json')) return true
  if (request.is('application/x-www-form-urlencoded')) return false
  return !wantsPage(request)
}
