import { Router, type Request, type Response } from 'express'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { contentDisposition } from '../../http/content-type.js'
import { HttpError } from '../../http/errors.js'
import { clientAt } from '../../http/request-client.js'
import { requestIdOf } from '../../http/request-id.js'
import { signalOf } from '../../http/request-signal.js'
import type { WebDependencies } from '../dependencies.js'
import { actorOf, authorise, callerOf, type Doors } from './caller.js'
import { namesTag } from './entity-tag.js'
import { readInput } from './input.js'
import { pathOf, type Answer, type Call, type Operation } from './operation.js'
import { problemHandler } from './problem.js'
import { RateLimit } from './rate-limit.js'
import type { ApiServices } from './services.js'
import { wantsJson } from './wants-json.js'

export interface ApiOptions {
  readonly operations: readonly Operation[]
  readonly services: ApiServices
  readonly doors: Doors
  readonly clientAddress: (request: Request) => string
  readonly log: WebDependencies['log']
  /** Of a body, in bytes. */
  readonly bodyLimit: number
  readonly requestsPerMinute: number
}

type Handler = (request: Request, response: Response) => Promise<void>

/**
 * `/api/v1` and the paths of the original specification. To be mounted at the top, before anything that reads bodies.
 * Legacy paths are left to what follows unless the client wants JSON.
 */
export function apiRouter(options: ApiOptions): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const limit = new RateLimit(options.requestsPerMinute)
  const handle = (operation: Operation): Handler => handlerOf(operation, options, limit)

  for (const [path, operations] of byPath(options.operations)) {
    const handlers = new Map(operations.map((operation) => [operation.method as string, handle(operation)]))
    router.all(routeOf(path), answerWith(handlers, operations[0]?.at === 'root'))
  }
  for (const [path, operations] of byLegacyPath(options.operations)) {
    const handlers = new Map(operations.map((operation) => [operation.method as string, handle(operation)]))
    router.all(routeOf(path), answerWith(handlers, true))
  }
  router.use('/api/v1', () => {
    throw new HttpError(404, 'NOT_FOUND', 'There is no such operation. /api/docs lists them.')
  })
  router.use(['/api/v1', ...rootPaths(options.operations)], problemHandler(options.log))
  return router
}

/** @param shared the path is a page too */
function answerWith(handlers: ReadonlyMap<string, Handler>, shared: boolean) {
  const allowed = [...handlers.keys()].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
  return async (request: Request, response: Response, next: (error?: unknown) => void): Promise<void> => {
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const handler = handlers.get(method)
    // A page that has no other form, such as that of the login, is for everybody.
    if (shared && (!wantsJson(request) || (method === 'GET' && !handler))) {
      next('route')
      return
    }
    if (handler) await handler(request, response)
    else if (request.method === 'OPTIONS') response.status(204).set('Allow', `${allowed}, OPTIONS`).end()
    else {
      throw new HttpError(405, 'METHOD_NOT_ALLOWED', `The methods here are ${allowed}.`, {
        headers: { Allow: allowed },
      })
    }
  }
}

function handlerOf(operation: Operation, options: ApiOptions, limit: RateLimit): Handler {
  const { services, doors, clientAddress, bodyLimit } = options
  return async (request, response) => {
    const signal = signalOf(request, response)
    const address = clientAddress(request)
    const caller = operation.scope === 'none' ? undefined : await callerOf(request, response, address, doors)
    if (caller) {
      await limit.count(caller.user.userId)
      authorise(caller, operation)
    }
    const input = await readInput(operation, request, { bodyLimit, signal })
    const call: Call = {
      ...input,
      user: caller?.user,
      actor: caller && actorOf(caller, address),
      client: caller && clientAt(address, request, caller.user),
      services,
      address,
      requestId: requestIdOf(request),
      signal,
      session: caller?.session,
      authorization: request.headers.authorization,
      match: (current) => {
        const header = request.headers['if-match']
        if (header !== undefined && !namesTag(header, current)) {
          throw new HttpError(412, 'PRECONDITION_FAILED', 'It was changed meanwhile: get it anew and try again.')
        }
      },
    }
    await send(operation, await operation.handle(call), request, response)
  }
}

async function send(operation: Operation, answer: Answer, request: Request, response: Response): Promise<void> {
  const spec = operation.responses[answer.status]
  if (!spec) throw new Error(`${operation.id} does not declare the status ${answer.status}.`)
  // Before the headers: what does not fit the schema is an error, and what is not in it stays inside.
  const text = spec.body && JSON.stringify(spec.body.parse(answer.body))
  response.set('Cache-Control', 'no-store')
  if (answer.etag !== undefined) response.set('ETag', answer.etag)
  if (answer.location !== undefined) response.set('Location', answer.location)
  const known = request.headers['if-none-match']
  if (operation.method === 'GET' && answer.etag !== undefined && known !== undefined && namesTag(known, answer.etag)) {
    response.status(304).end()
    return
  }
  response.status(answer.status)
  if (answer.filename !== undefined) {
    response.set('Content-Disposition', contentDisposition('attachment', answer.filename))
  }
  const [type = 'application/json'] = [answer.type ?? spec.type ?? []].flat()
  if (text !== undefined) {
    response.setHeader('Content-Type', type).end(text)
  } else if (answer.stream === undefined || request.method === 'HEAD') {
    if (answer.stream !== undefined) response.setHeader('Content-Type', `${type}; charset=utf-8`)
    response.end()
  } else {
    response.setHeader('Content-Type', `${type}; charset=utf-8`)
    await pipeline(Readable.from(answer.stream), response, { signal: signalOf(request, response) })
  }
}

/** `/users/{id}` -> `/users/:id` */
function routeOf(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1')
}

/** Fixed paths come before those with parameters that would take them. */
function byPath(operations: readonly Operation[]): [string, Operation[]][] {
  const grouped = group(operations, pathOf)
  return grouped.sort(([a], [b]) => Number(a.includes('{')) - Number(b.includes('{')))
}

function byLegacyPath(operations: readonly Operation[]): [string, Operation[]][] {
  return group(
    operations.filter(({ legacyPath }) => legacyPath !== undefined),
    ({ legacyPath = '' }) => legacyPath,
  )
}

function group(operations: readonly Operation[], keyOf: (operation: Operation) => string): [string, Operation[]][] {
  const groups = new Map<string, Operation[]>()
  for (const operation of operations) {
    const key = keyOf(operation)
    groups.set(key, [...(groups.get(key) ?? []), operation])
  }
  return [...groups]
}

function rootPaths(operations: readonly Operation[]): string[] {
  return operations.flatMap(({ path, at, legacyPath }) => [at === 'root' ? path : [], legacyPath ?? []].flat())
}
