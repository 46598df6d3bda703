import type { IncomingMessage, ServerResponse } from 'node:http'
import type { v2 as webdav } from 'webdav-server'
import { discardBody } from '../http/body.js'
import { requestIdOf } from '../http/request-id.js'
import { signalOf } from '../http/request-signal.js'
import { answerFor } from '../http/status.js'
import { sendError } from './error-answer.js'
import { openExchange, type Exchange } from './exchange.js'
import { stateOf } from './request-state.js'

/** Nginx's word for a client that left: there is nobody to answer. */
const CLIENT_GONE = 499

/** What verbs and the authentication hook look at of webdav-server's context. */
export type DavContext = Pick<webdav.HTTPRequestContext, 'request' | 'response'> & {
  user?: webdav.IUser | undefined
}

export interface Verb extends webdav.HTTPMethod {
  chunked(context: DavContext): void
}

/**
 * A verb for webdav-server's method table. It is `chunked`, so the library buffers no body; whatever `run` throws becomes
 * the answer, and the library's own `exit`, which would end the response a second time, is not used.
 */
export function verb(run: (exchange: Exchange) => Promise<void>): Verb {
  return {
    isValidFor: () => true,
    chunked(context) {
      void serve(context, run)
    },
  }
}

async function serve(context: DavContext, run: (exchange: Exchange) => Promise<void>): Promise<void> {
  try {
    await run(openExchange(context))
  } catch (error) {
    answerFailure(context.request, context.response, error)
  }
}

/** Answers what was thrown, or cuts the connection when an answer is under way already; never throws. */
export function answerFailure(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const { log } = stateOf(request).dependencies
  const about = { id: requestIdOf(request), method: request.method }
  const gone = isGone(signalOf(request, response).reason) || isGone(error)
  if (gone || response.headersSent) {
    if (!gone) log.warn({ ...about, err: error }, 'an answer broke off')
    if (!response.writableFinished) response.destroy()
    return
  }
  try {
    discardBody(request, response)
    const status = sendError(request, response, error)
    if (status === 500) log.error({ ...about, err: error }, 'a WebDAV request failed')
    else if (status > 500) log.warn({ ...about, err: error, status }, 'a server failed a WebDAV request')
  } catch (failure) {
    log.error({ ...about, err: failure }, 'a WebDAV request could not be answered')
    response.destroy()
  }
}

function isGone(reason: unknown): boolean {
  return reason !== undefined && answerFor(reason).status === CLIENT_GONE
}
