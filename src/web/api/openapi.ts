import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import { pathOf, type Method, type Operation, type ResponseSpec } from './operation.js'
import { problemSchema } from './problem.js'

type Json = Readonly<Record<string, unknown>>

const SECURITY = [{ token: [] }, { password: [] }, { session: [], csrf: [] }]

const SECURITY_SCHEMES = {
  token: {
    type: 'http',
    scheme: 'bearer',
    description:
      'An API token from the account page, or a token from POST /login. Each operation says which scope it needs.',
  },
  password: {
    type: 'http',
    scheme: 'basic',
    description: 'Username and password, while the user has no second factor.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-sid',
    description: 'The session of the pages; over plain http the cookie is called sid.',
  },
  csrf: {
    type: 'apiKey',
    in: 'header',
    name: 'X-CSRF-Token',
    description: 'With the session cookie, for everything but GET: the token from the page.',
  },
}

/** Everything about the API as an OpenAPI 3.1 document, from the schemas that judge input and output. */
export function describeApi(operations: readonly Operation[]) {
  const components = new Components()
  const paths: Record<string, Record<string, Json>> = {}
  const add = (path: string, method: Method, description: Json) => {
    paths[path] = { ...paths[path], [method.toLowerCase()]: description }
  }
  for (const operation of operations) {
    const description = describe(operation, components)
    add(pathOf(operation), operation.method, description)
    if (operation.legacyPath !== undefined) {
      const summary = `${operation.summary} (with Accept: application/json)`
      add(operation.legacyPath, operation.method, { ...description, operationId: `${operation.id}.legacy`, summary })
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'FTPCluster',
      version: '1',
      description:
        'Users, servers, permissions and files of the gateway. Errors are problem details (RFC 9457). Lists come in ' +
        'pages: `limit`, `offset`, `total`. An `ETag` given back as `If-Match` keeps a change from overwriting another one.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(operations.map(tagOf))].map((name) => ({ name })),
    paths,
    components: { schemas: components.schemas, responses: components.errors, securitySchemes: SECURITY_SCHEMES },
  }
}

/** `me.tokens.create` -> `me` */
export function tagOf({ id }: Pick<Operation, 'id'>): string {
  return id.split('.', 1)[0] ?? ''
}

function describe(operation: Operation, components: Components): Json {
  const {
    id,
    summary,
    description,
    scope,
    body,
    example,
    bodyType = 'application/json',
    bodyOptional = false,
  } = operation
  const need =
    scope === 'none' ? 'Needs no login.' : scope === 'any' ? 'Needs a login.' : `Needs the scope \`${scope}\`.`
  return {
    operationId: id,
    tags: [tagOf(operation)],
    summary,
    description: description === undefined ? need : `${description} ${need}`,
    security: scope === 'none' ? [] : SECURITY,
    parameters: parametersOf(operation, components),
    ...(body && {
      requestBody: {
        required: !bodyOptional,
        content: { [bodyType]: { schema: components.input(body), ...(example !== undefined && { example }) } },
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(operation.responses).map(([status, spec]) => [
          status,
          describeResponse(operation, spec, components),
        ]),
      ),
      ...(sendsTag(operation) &&
        operation.method === 'GET' && { 304: { description: 'It is as `If-None-Match` says.' } }),
      ...Object.fromEntries(errorsOf(operation).map((status) => [status, components.error(status)])),
    },
  }
}

/** Statuses of the errors that a client may meet. */
export function errorsOf({ scope, params, query, body, method, etag, errors = [] }: Operation): number[] {
  const statuses = new Set([400, 500, 503, ...errors])
  if (scope !== 'none') for (const status of [401, 403, 429]) statuses.add(status)
  if (params) statuses.add(404)
  if (query || body) statuses.add(400)
  if (body) for (const status of [408, 413, 415]) statuses.add(status)
  if (etag && method !== 'GET' && method !== 'POST') statuses.add(412)
  return [...statuses].sort((a, b) => a - b)
}

function sendsTag({ etag = false, method }: Operation): boolean {
  return etag && method !== 'DELETE'
}

function parametersOf(operation: Operation, components: Components): Json[] {
  const { params, query, etag, method } = operation
  const header = (name: string, description: string) => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  })
  return [
    ...fieldsOf(params, components).map((field) => ({ ...field, in: 'path', required: true })),
    ...fieldsOf(query, components).map((field) => ({ ...field, in: 'query' })),
    ...(etag && method === 'GET' ? [header('If-None-Match', 'An `ETag`: 304 while nothing has changed.')] : []),
    ...(etag && method !== 'GET' && method !== 'POST'
      ? [header('If-Match', 'The `ETag` of the resource as it was seen: 412 when it has changed since.')]
      : []),
  ]
}

function fieldsOf(schema: z.ZodObject | undefined, components: Components) {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const { description, ...json } = components.output(field as z.ZodType)
    const required = !z.safeParse(field, undefined).success
    return { name, required, ...(description !== undefined && { description }), schema: json }
  })
}

function describeResponse(operation: Operation, spec: ResponseSpec, components: Components): Json {
  const types = [spec.type ?? 'application/json'].flat()
  const schemaOf = (type: string) => {
    const described = spec.body ?? (type.includes('json') ? spec.streamed : undefined)
    return described ? components.output(described) : { type: 'string' }
  }
  const headers = {
    ...(sendsTag(operation) && { ETag: { description: 'Of the resource.', schema: { type: 'string' } } }),
    ...('201' in operation.responses && {
      Location: { description: 'Of the new resource.', schema: { type: 'string' } },
    }),
    ...(spec === operation.responses[202] && {
      Location: { description: 'Of the job.', schema: { type: 'string' } },
    }),
  }
  return {
    description: spec.description,
    ...(Object.keys(headers).length > 0 && { headers }),
    ...((spec.body || spec.stream) && {
      content: Object.fromEntries(types.map((type) => [type, { schema: schemaOf(type) }])),
    }),
  }
}

function describeError(status: number, components: Components): Json {
  const retry = status === 429 || status === 503
  return {
    description: STATUS_CODES[status] ?? 'Error',
    ...(retry && {
      headers: { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer', minimum: 1 } } },
    }),
    content: { 'application/problem+json': { schema: components.output(problemSchema) } },
  }
}

/** Schemas with an id are described once and referred to. */
class Components {
  readonly schemas: Record<string, Json> = {}
  readonly errors: Record<string, Json> = {}

  error(status: number): Json {
    const name = `Error${status}`
    this.errors[name] ??= describeError(status, this)
    return { $ref: `#/components/responses/${name}` }
  }

  input(schema: z.ZodType): Json {
    return this.#convert(schema, 'input')
  }

  output(schema: z.ZodType): Json {
    return this.#convert(schema, 'output')
  }

  #convert(schema: z.ZodType, io: 'input' | 'output'): Json {
    const { $defs = {}, ...json } = z.toJSONSchema(schema, { target: 'draft-2020-12', io, override })
    delete json.$schema
    for (const [name, definition] of Object.entries($defs)) this.schemas[name] ??= refer(definition)
    return refer(json)
  }
}

/** Every whole number is a safe one: that need not be said each time. */
function override({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}

/** References as OpenAPI writes them. */
function refer(json: object): Json {
  return JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json
}
