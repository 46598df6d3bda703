import type { Request } from 'express'
import { z } from 'zod'
import { ValidationError } from '../../errors.js'
import { readBody } from '../../http/body.js'
import { HttpError } from '../../http/errors.js'
import { parseInput } from '../../parse-input.js'
import { parseJsonText } from './json-text.js'
import type { Operation } from './operation.js'
import { InvalidRequestError, type FieldProblem } from './problem.js'

export interface Input {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

const NOTHING = z.strictObject({})

/**
 * What an operation was asked for, judged by its schemas, all at once.
 * @throws InvalidRequestError with every problem; HttpError 413, 415, 400 for a body that cannot be read
 */
export async function readInput(
  { params, query, body, bodyType = 'application/json', bodyOptional = false }: Operation,
  request: Request,
  { bodyLimit, signal }: { bodyLimit: number; signal: AbortSignal },
): Promise<Input> {
  const content = await readContent(request, body && bodyType, { bodyLimit, signal })
  const problems: FieldProblem[] = []
  const judge = (place: NonNullable<FieldProblem['in']>, schema: z.ZodType, value: unknown): unknown => {
    try {
      return parseInput(schema, value)
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error
      problems.push(...error.problems.map((problem) => ({ in: place, ...problem })))
      return undefined
    }
  }
  const input: Input = {
    params: judge('path', params ?? NOTHING, { ...request.params }),
    query: judge('query', query ?? NOTHING, queryOf(request, problems)),
    body: body && judge('body', body, bodyOptional ? (content ?? {}) : content),
  }
  if (problems.length > 0) throw new InvalidRequestError(problems)
  return input
}

/** Names and texts; a name that comes twice is a problem. */
function queryOf(request: Request, problems: FieldProblem[]): object {
  const [, search = ''] = request.originalUrl.split(/\?(.*)/s, 2)
  const values = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(search)) {
    if (values.has(name)) problems.push({ in: 'query', field: name, message: 'must not be given twice' })
    else if (name === '__proto__') problems.push({ in: 'query', field: name, message: 'is not a known field' })
    values.set(name, value)
  }
  values.delete('__proto__')
  return Object.fromEntries(values)
}

/** The body by its media type; undefined when there is none. */
async function readContent(
  request: Request,
  type: string | undefined,
  { bodyLimit, signal }: { bodyLimit: number; signal: AbortSignal },
): Promise<unknown> {
  const announced = request.headers['transfer-encoding'] ?? request.headers['content-length'] ?? '0'
  if (announced === '0') return undefined
  if (type === undefined) throw new HttpError(400, 'BODY_NOT_EXPECTED', 'This operation takes no body.')
  if (request.headers['content-encoding'] !== undefined || !isOfType(request.headers['content-type'], type)) {
    throw new HttpError(415, 'MEDIA_TYPE', `The body must be ${type}, in UTF-8 and not compressed.`)
  }
  const bytes = await readBody(request, bodyLimit, signal)
  if (bytes.length === 0) return undefined
  return type === 'application/json' ? parseJsonText(bytes) : textOf(bytes)
}

/** RFC 9110 section 8.3.1; the only parameter taken is `charset=utf-8`. */
function isOfType(header: string | undefined, type: string): boolean {
  const [essence = '', ...parameters] = (header ?? '').toLowerCase().split(';')
  return essence.trim() === type && parameters.every((text) => /^charset="?utf-8"?$/.test(text.trim()))
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new HttpError(400, 'BAD_TEXT', 'The body is not text in UTF-8.', { cause: error })
  }
}
