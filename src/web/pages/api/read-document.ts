import type { describeApi } from '../../api/openapi.js'

/** One field of an input or of an object. */
export interface DocumentedField {
  readonly name: string
  readonly place: string
  readonly type: string
  readonly required: boolean
  readonly description: string
}

export interface DocumentedOperation {
  readonly id: string
  readonly tag: string
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly description: string
  readonly fields: readonly DocumentedField[]
  /** A typical body. */
  readonly example: string
  readonly responses: readonly { readonly status: string; readonly description: string; readonly type: string }[]
  /** Everything in which the search looks, in small letters. */
  readonly searched: string
}

export interface DocumentedSchema {
  readonly name: string
  readonly fields: readonly DocumentedField[]
}

type Json = Readonly<Record<string, unknown>>

/** The OpenAPI document as the page shows it. */
export function readDocument(document: ReturnType<typeof describeApi>) {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => !String(operation.operationId).endsWith('.legacy'))
      .map(([method, operation]) => readOperation(path, method.toUpperCase(), operation)),
  )
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => ({
    name,
    fields: fieldsOf(schema, 'body'),
  }))
  return {
    intro: document.info.description,
    tags: document.tags.map(({ name }) => name),
    operations,
    schemas: schemas.sort((a, b) => a.name.localeCompare(b.name)),
  }
}

function readOperation(path: string, method: string, operation: Json): DocumentedOperation {
  const { operationId, tags, summary, description } = operation as unknown as {
    operationId: string
    tags: [string]
    summary: string
    description: string
  }
  const parameters = (operation.parameters as readonly Json[]).map((parameter) => ({
    name: String(parameter.name),
    place: String(parameter.in),
    type: typeOf(parameter.schema as Json),
    required: parameter.required === true,
    description: textOf(parameter.description),
  }))
  const [type, content] = Object.entries(contentOf(operation.requestBody))[0] ?? []
  const body = content?.schema as Json | undefined
  const fields = [...parameters, ...(body ? fieldsOf(body, 'body', type) : [])]
  const example = content?.example === undefined ? '' : exampleText(content.example)
  const responses = Object.entries(operation.responses as Record<string, Json>).map(([status, response]) => {
    const [schema] = Object.values(contentOf(response))
    return {
      status,
      description: response.$ref === undefined ? textOf(response.description) : 'Problem',
      type: schema ? typeOf(schema.schema as Json) : '',
    }
  })
  const names = fields.map(({ name }) => name)
  const searched = [operationId, method, path, summary, description, ...names].join(' ').toLowerCase()
  const described = { summary, description, fields, example, responses }
  return { id: operationId, tag: tags[0], method, path, ...described, searched }
}

function contentOf(holder: unknown): Readonly<Record<string, Json>> {
  return ((holder as Json | undefined)?.content ?? {}) as Readonly<Record<string, Json>>
}

function exampleText(example: unknown): string {
  return typeof example === 'string' ? example : JSON.stringify(example, undefined, 2)
}

function fieldsOf(schema: Json, place: string, mediaType?: string): DocumentedField[] {
  const properties = schema.properties as Readonly<Record<string, Json>> | undefined
  if (!properties) {
    const type = mediaType === 'text/csv' ? 'CSV text' : typeOf(schema)
    return [{ name: 'body', place, type, required: true, description: textOf(schema.description) }]
  }
  const required = (schema.required ?? []) as readonly string[]
  return Object.entries(properties).map(([name, field]) => ({
    name,
    place,
    type: typeOf(field),
    required: required.includes(name),
    description: textOf(field.description),
  }))
}

/** A type in words: `integer, 1 to 200`, `list of User`. */
function typeOf(schema: Json): string {
  if (typeof schema.$ref === 'string') return schema.$ref.split('/').at(-1) ?? ''
  if ('const' in schema) return JSON.stringify(schema.const)
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' or ')
  const choices = (schema.anyOf ?? schema.oneOf) as readonly Json[] | undefined
  if (choices) return [...new Set(choices.map(typeOf))].join(' or ')
  switch (schema.type) {
    case 'array':
      return `list of ${typeOf((schema.items ?? {}) as Json)}`
    case 'object': {
      const names = Object.keys(schema.properties ?? {})
      return names.length > 0 ? `{ ${names.join(', ')} }` : 'object'
    }
    case 'string':
      return (schema.format === 'date-time' ? 'time' : textOf(schema.format) || 'string') + defaultOf(schema)
    case 'integer':
    case 'number':
      return schema.type + rangeOf(schema) + defaultOf(schema)
    default:
      return (textOf(schema.type) || 'anything') + defaultOf(schema)
  }
}

function rangeOf({ minimum, maximum }: Json): string {
  if (typeof minimum === 'number' && typeof maximum === 'number') return `, ${minimum} to ${maximum}`
  return typeof minimum === 'number' ? `, from ${minimum}` : ''
}

function defaultOf(schema: Json): string {
  return schema.default === undefined ? '' : `, default ${JSON.stringify(schema.default)}`
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
