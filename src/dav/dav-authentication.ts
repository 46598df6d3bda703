import type { IncomingMessage, ServerResponse } from 'node:http'
import type { v2 as webdav } from 'webdav-server'
import type { AuthResult } from '../auth/authenticate.js'
import { parseBasic } from '../auth/basic-credentials.js'
import { WINDOWS_LISTING_LIMIT } from '../auth/drive-attempts.js'
import { discardBody } from '../http/body.js'
import { badRequest } from './dav-error.js'
import { DavUser } from './dav-user.js'
import { linesOf } from './exchange.js'
import { clientAddress } from '../http/client-address.js'
import { loginAnswer } from '../http/login-answer.js'
import { clientAt } from '../http/request-client.js'
import { answerFor, answerForClient } from '../http/status.js'
import { sendEmpty, sendText } from './answers.js'
import type { DavDependencies } from './settings.js'
import { answerFailure, type DavContext } from './verb.js'

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

  getUser(context: DavContext, callback: (error: Error, user?: webdav.IUser) => void): void {
    this.#userOf(context).then(
      (user) => {
        // webdav-server's types want an error; it takes null for none.
        if (user) callback(null as unknown as Error, user)
      },
      (error: unknown) => answerFailure(context.request, context.response, error),
    )
  }

  /** @returns undefined when the request has been answered */
  async #userOf({ request, response }: DavContext): Promise<DavUser | undefined> {
    const { authenticate, treeFor, trustProxy } = this.dependencies
    if (linesOf(request, 'authorization').length > 1) {
      throw badRequest('BAD_AUTHORIZATION', 'There are two Authorization headers.')
    }
    const address = clientAddress(request, trustProxy)
    const result = await authenticate(request.headers.authorization, address)
    this.#note(request, response, result, address)
    if (result.ok) return new DavUser(await treeFor(result.user, clientAt(address, request, result.user)))

    this.#hintForWindows(request.headers['user-agent'])
    discardBody(request, response)
    const answer = answerForClient(answerFor(loginAnswer(result)), request.headers['user-agent'])
    for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value)
    if (HINTS.has(result.reason)) {
      sendText(response, answer.status, 'text/plain; charset=utf-8', `${answer.message} (${answer.code})\n`)
    } else sendEmpty(response, answer.status)
    return undefined
  }

  /** For the page that tells users whether their device has connected. */
  #note(request: IncomingMessage, response: ServerResponse, result: AuthResult, address: string): void {
    const { attempts } = this.dependencies
    if (!attempts) return
    const userAgent = request.headers['user-agent'] ?? ''
    const username = result.ok ? result.user.username : usernameOf(request.headers.authorization)
    const via = result.ok ? result.user.via : undefined
    attempts.note({ address, userAgent, username, via, outcome: result.ok ? 'connected' : result.reason })
    if (!result.ok || request.method !== 'PROPFIND' || !isWindows(userAgent)) return
    const { socket } = request
    const before = socket.bytesWritten
    response.once('finish', () => {
      if (socket.bytesWritten - before <= WINDOWS_LISTING_LIMIT) return
      attempts.note({ address, userAgent, username, via, outcome: 'listing-too-long' })
    })
  }

  /** The user sees "the network name cannot be found"; only the gateway knows why. */
  #hintForWindows(userAgent: string | undefined): void {
    if (this.dependencies.secure || this.#windowsHintGiven || !isWindows(userAgent)) return
    this.#windowsHintGiven = true
    this.dependencies.log.warn('Windows sends no password over plain HTTP unless BasicAuthLevel is 2: turn TLS on.')
  }
}

function isWindows(userAgent: string | undefined): boolean {
  return userAgent?.startsWith('Microsoft-WebDAV-MiniRedir/') === true
}

function usernameOf(header: string | undefined): string | undefined {
  const parsed = parseBasic(header)
  return parsed.kind === 'missing' || parsed.kind === 'malformed' ? undefined : parsed.username
}
