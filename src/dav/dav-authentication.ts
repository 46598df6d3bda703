import type { v2 as webdav } from 'webdav-server'
import { discardBody } from '../http/body.js'
import { badRequest } from './dav-error.js'
import { DavUser } from './dav-user.js'
import { clientAddress } from '../http/client-address.js'
import { loginAnswer } from '../http/login-answer.js'
import { answerFor, answerForClient } from '../http/status.js'
import { sendEmpty, sendText } from './answers.js'
import type { DavDependencies } from './settings.js'
import { answerFailure } from './verb.js'

/** Set by webdav-server on every answer: any site may read, and what runs here is told to everybody. */
const UNWANTED = [
  'Access-Control-Allow-Origin',
  'Access-Control-Allow-Credentials',
  'Access-Control-Expose-Headers',
  'Server',
]

/** The password is right and does not do: only the answer can tell why. */
const HINTS: ReadonlySet<string> = new Set(['second-factor', 'password-change'])

/**
 * The authentication hook of webdav-server. Refusals are answered here, without a backend or a wait, and with a body only
 * where it tells what helps: some clients send every request a first time without credentials.
 */
export class DavAuthentication implements webdav.HTTPAuthentication {
  #windowsHintGiven = false

  constructor(private readonly dependencies: DavDependencies) {}

  /** What this returns would stand on every answer. */
  askForAuthentication(): Record<string, string> {
    return {}
  }

  getUser(context: webdav.HTTPRequestContext, callback: (error: Error, user?: webdav.IUser) => void): void {
    this.#userOf(context).then(
      (user) => {
        // webdav-server's types want an error; it takes null for none.
        if (user) callback(null as unknown as Error, user)
      },
      (error: unknown) => answerFailure(context.request, context.response, error),
    )
  }

  /** @returns undefined when the request has been answered */
  async #userOf({ request, response }: webdav.HTTPRequestContext): Promise<DavUser | undefined> {
    for (const name of UNWANTED) response.removeHeader(name)
    const { authenticate, treeFor, trustProxy } = this.dependencies
    if ((request.headersDistinct['authorization']?.length ?? 0) > 1) {
      throw badRequest('BAD_AUTHORIZATION', 'There are two Authorization headers.')
    }
    const result = await authenticate(request.headers.authorization, clientAddress(request, trustProxy))
    if (result.ok) return new DavUser(await treeFor(result.user))

    this.#hintForWindows(request.headers['user-agent'])
    discardBody(request, response)
    const answer = answerForClient(answerFor(loginAnswer(result)), request.headers['user-agent'])
    for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value)
    if (HINTS.has(result.reason)) {
      sendText(response, answer.status, 'text/plain; charset=utf-8', `${answer.message} (${answer.code})\n`)
    } else sendEmpty(response, answer.status)
    return undefined
  }

  /** The user sees "the network name cannot be found"; only the gateway knows why. */
  #hintForWindows(userAgent: string | undefined): void {
    if (this.dependencies.secure || this.#windowsHintGiven || !userAgent?.startsWith('Microsoft-WebDAV-MiniRedir/'))
      return
    this.#windowsHintGiven = true
    this.dependencies.log.warn('Windows sends no password over plain HTTP unless BasicAuthLevel is 2: turn TLS on.')
  }
}
