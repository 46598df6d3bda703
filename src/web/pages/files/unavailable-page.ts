import type { Request, Response } from 'express'
import { page } from '../../page/page.js'
import type { Opened } from './browse.js'
import type { Explanation } from './explain-error.js'

/** Where a folder or file was to be shown: why it is not. */
export async function unavailablePage(
  request: Request,
  response: Response,
  { path, place }: Pick<Opened, 'path' | 'place'>,
  explanation: Explanation,
): Promise<void> {
  for (const name of ['Content-Disposition', 'ETag', 'Last-Modified']) response.removeHeader(name)
  if (explanation.retryAfterSeconds !== undefined) response.set('Retry-After', String(explanation.retryAfterSeconds))
  const data = {
    title: explanation.title,
    styles: ['files'],
    explanation,
    crumbs: place.crumbs(path),
    here: request.originalUrl,
    up: place.up(path) ?? place.hrefOf('/', true),
  }
  await page(request, response, 'files/unavailable', data, explanation.status)
}
