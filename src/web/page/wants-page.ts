import type { Request } from 'express'

/** Whether whoever asks is better served with a page than with JSON. Programs that say nothing get JSON. */
export function wantsPage(request: Request): boolean {
  return request.accepts(['json', 'html']) === 'html'
}
