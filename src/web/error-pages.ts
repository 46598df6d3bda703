import type { NextFunction, Request, Response } from 'express'
import { STATUS_CODES } from 'node:http'
import { discardBody } from '../http/body.js'
import { HttpError } from '../http/errors.js'
import { requestIdOf } from '../http/request-id.js'
import { answerFor, type Answer } from '../http/status.js'
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
    const failure = beginErrorAnswer(thrown, request, response, log)
    if (!failure) return
    const { answer, requestId } = failure
    response.vary('Accept')
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

/** What a route may have set for the answer that did not come. */
const OF_THE_ANSWER = ['Content-Disposition', 'ETag', 'Last-Modified', 'Accept-Ranges', 'Location']

/**
 * Logs an error that a route threw, and sets status and headers of the answer to it.
 * @returns what is to be said; undefined when the answer had begun and nothing can be said any more
 */
export function beginErrorAnswer(
  thrown: unknown,
  request: Request,
  response: Response,
  log: WebDependencies['log'],
): { readonly error: unknown; readonly answer: Answer; readonly requestId: string } | undefined {
  const error = ofExpress(thrown)
  const answer = answerFor(error)
  const requestId = requestIdOf(request)
  if (answer.status >= 500) log.error({ id: requestId, err: error, code: answer.code }, 'request failed')
  if (response.headersSent) {
    response.destroy()
    return undefined
  }
  discardBody(request, response)
  for (const name of OF_THE_ANSWER) response.removeHeader(name)
  response.status(answer.status).set('Cache-Control', 'no-store')
  if (answer.retryAfterSeconds !== undefined) response.set('Retry-After', String(answer.retryAfterSeconds))
  response.set({ ...answer.headers })
  return { error, answer, requestId }
}

/** Errors of Express and its parts carry a status of their own; only what the client did wrong is passed on. */
function ofExpress(error: unknown): unknown {
  if (error instanceof HttpError || !(error instanceof Error) || !('status' in error)) return error
  const { status } = error
  if (typeof status !== 'number' || status < 400 || status > 499) return error
  return new HttpError(status, 'BAD_REQUEST', STATUS_CODES[status] ?? 'The request is wrong.', { cause: error })
}
