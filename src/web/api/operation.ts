import type { z } from 'zod'
import type { Actor } from '../../audit/actor.js'
import type { AuthenticatedUser } from '../../auth/authenticate.js'
import type { Scope } from '../../auth/scope.js'
import type { Client } from '../../vfs/observer.js'
import type { CallerSession } from './caller.js'
import type { ApiServices } from './services.js'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What a caller needs: a scope, `any` login at all, or `none`. */
export type Needed = Scope | 'any' | 'none'

/** One answer that an operation gives when it succeeds. Without `body` and `stream` there is no content. */
export interface ResponseSpec {
  readonly description: string
  /** What is not in the schema does not get out. */
  readonly body?: z.ZodType
  /** Text that is sent piece by piece, of the media type `type`. */
  readonly stream?: true
  /** What the text holds where it is JSON; for the description. */
  readonly streamed?: z.ZodType
  /** Media types; default `application/json`. */
  readonly type?: string | readonly string[]
}

export type Responses = Readonly<Record<number, ResponseSpec>>

/** What `handle` is given: the caller and judged input. */
export interface Call<N extends Needed = Needed, Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly user: N extends 'none' ? undefined : AuthenticatedUser
  /** The same caller, for the changing methods of services. */
  readonly actor: N extends 'none' ? undefined : Actor
  /** The same caller, for trees. */
  readonly client: N extends 'none' ? undefined : Client
  readonly services: ApiServices
  readonly address: string
  readonly requestId: string
  /** Fires when the client is gone. */
  readonly signal: AbortSignal
  /** Where the caller has a session; undefined for other credentials. */
  readonly session: CallerSession | undefined
  /** The `Authorization` header. */
  readonly authorization: string | undefined
  /**
   * For operations with `etag`, within the transaction of the change: compares `If-Match` with the resource as it is.
   * @throws HttpError 412
   */
  readonly match: (current: string) => void
}

type Content<R extends ResponseSpec> = R extends { body: infer B extends z.ZodType }
  ? { readonly body: z.input<B> }
  : R extends { stream: true }
    ? { readonly stream: AsyncIterable<string> | Iterable<string>; readonly type?: string; readonly filename?: string }
    : object

/** One of the declared responses. */
export type AnswerOf<R extends Responses> = {
  [Status in keyof R & number]: Content<R[Status]> & {
    readonly status: Status
    /** Of the resource, by `entityTag`. */
    readonly etag?: string
    /** Where a new resource is. */
    readonly location?: string
  }
}[keyof R & number]

export interface Definition<
  N extends Needed,
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends Responses,
> {
  /** `area.verb`: unique, and stable for generated clients. */
  readonly id: string
  readonly method: Method
  /** Below `/api/v1`, parameters in braces; or `at: 'root'`. */
  readonly path: `/${string}`
  readonly at?: 'root'
  /** Also answered at this path of the original specification, for those who want JSON. */
  readonly legacyPath?: `/${string}`
  /** One line, an imperative. */
  readonly summary: string
  readonly description?: string
  readonly scope: N
  /** Answered as well to somebody who has to change the password before anything else. */
  readonly beforePasswordChange?: boolean
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** For the description: a body that is typical. */
  readonly example?: z.input<B>
  /** Media type of the body; default `application/json`. `text/csv` gives `handle` a text. */
  readonly bodyType?: 'application/json' | 'text/csv'
  /** The body may be left out. */
  readonly bodyOptional?: boolean
  /** Answers carry an `ETag`: GET honours `If-None-Match`, changes honour `If-Match`. */
  readonly etag?: boolean
  readonly responses: R
  /** Statuses of errors that this operation adds to those that its input and scope bring. */
  readonly errors?: readonly number[]
  handle(call: Call<N, z.output<P>, z.output<Q>, z.output<B>>): Promise<AnswerOf<R>> | AnswerOf<R>
}

/** What the router sends. */
export interface Answer {
  readonly status: number
  readonly etag?: string
  readonly location?: string
  readonly body?: unknown
  readonly stream?: AsyncIterable<string> | Iterable<string>
  readonly type?: string
  readonly filename?: string
}

/** An operation whose types are settled, for the router and the description. */
export interface Operation extends Omit<Definition<Needed, z.ZodObject, z.ZodObject, z.ZodType, Responses>, 'handle'> {
  handle(call: Call): Promise<Answer> | Answer
}

/** Describes one operation of the API and says how it is done. `operations.ts` lists it. */
export function operation<
  const N extends Needed,
  const R extends Responses,
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodType = z.ZodType,
>(definition: Definition<N, P, Q, B, R>): Operation {
  // The router hands over exactly what these schemas made of the input.
  return definition
}

/** Where an operation is found. */
export function pathOf({ path, at }: Pick<Operation, 'path' | 'at'>): string {
  return at === 'root' ? path : `/api/v1${path}`
}
