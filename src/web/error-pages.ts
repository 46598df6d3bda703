import type { NextFunction, Request, Response } from 'express'
import { STATUS_CODES } from 'node:http'
import { discardBody } from '../http/body.js'
import { HttpError } from '../http/errors.js'
import { requestIdOf } from '../http/request-id.js'
import { answerFor } from '../http/status.js'
import type { WebDependencies } from './dependencies.js'
import { page } from './page/page.js'
import { wantsPage } from './page/wants-page.js'

/** For whatever no route took. */
export function notFound(): never {
  throw new HttpError(404, 'NOT_FOUND', 'There is nothing at this address.')
}

/** The last handler: a page for browsers, `application/problem+json` (RFC 9457) for everybody else. */
export function errorPages(log: WebDependencies['log']) {
  return async (thrown: unknown, request: Request, response: Response, _next: NextFunction): Promise<void> => {
    const error = ofExpress(thrown)
    const answer = answerFor(error)
    const requestId = requestIdOf(request)
    if (answer.status >= 500) log.error({ id: requestId, err: error, code: answer.code }, 'request failed')
    if (response.headersSent) {
      response.destroy()
      return
    }
    discardBody(request, response)
    for (const name of ['Content-Disposition', 'ETag', 'Last-Modified', 'Accept-Ranges']) response.removeHeader(name)
    response.status(answer.status).set('Cache-Control', 'no-store').vary('Accept')
    if (answer.retryAfterSeconds !== undefined) response.set('Retry-After', String(answer.retryAfterSeconds))
    response.set({ ...answer.headers })
    const title = STATUS_CODES[answer.status] ?? 'Error'
    if (wantsPage(request)) {
      await page(request, response, 'error', { title, ...answer, requestId }, answer.status)
      return
    }
    const { status, code, message: detail } = answer
    response
      .type('application/problem+json')
      .send(JSON.stringify({ type: 'about:blank', title, status, detail, code, requestId }))
  }
}

/** Errors of Express and its parts carry a status of their own; only what the client did wrong is passed on. */
export function ofExpress(error: unknown): unknown {
  if (error instanceof HttpError || !(error instanceof Error) || !('status' in error)) return error
  const { status } = error
  if (typeof status !== 'number' || status < 400 || status > 499) return error
  return new HttpError(status, 'BAD_REQUEST', STATUS_CODES[status] ?? 'The request is wrong.', { cause: error })
}
