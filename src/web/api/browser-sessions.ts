import type { Request, RequestHandler, Response } from 'express'
import { knownVisitor } from '../page/visitor.js'
import { endSession } from '../session/session.js'
import type { SessionDoor } from './caller.js'

/** Sessions for the API. The cookie is read only when it is asked for: a request with `Authorization` never has one. */
export function browserSessions({
  session,
  csrf,
}: {
  readonly session: readonly RequestHandler[]
  readonly csrf: RequestHandler
}): SessionDoor {
  return {
    visitor: async (request, response) => {
      for (const handler of session) await run(handler, request, response)
      const user = knownVisitor(request)
      if (!user) return undefined
      return {
        user,
        session: {
          id: request.sessionID,
          renew: (authVersion) => {
            request.session.authVersion = authVersion
            delete request.session.mustChangePassword
          },
          end: () => endSession(request),
        },
        mustChangePassword: request.session.mustChangePassword === true,
      }
    },
    requireOwnPage: (request, response) => run(csrf, request, response),
  }
}

/** Resolves when the handler lets the request through. */
function run(handler: RequestHandler, request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (error?: unknown) => {
      if (error === undefined) resolve()
      else reject(error instanceof Error ? error : new Error('The session cannot be read.', { cause: error }))
    }
    Promise.resolve(handler(request, response, next)).catch(reject)
  })
}
