import type { Request } from 'express'
import { HttpError } from '../../http/errors.js'

/** The number in the address of a user, server or permission, or of what is theirs. @throws HttpError 404 */
export function idOf(request: Request, name = 'id'): number {
  const text = request.params[name]
  if (typeof text === 'string' && /^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new HttpError(404, 'NOT_FOUND', 'There is nothing at this address.')
}

/** A text of the query, trimmed; undefined when it is missing, empty or came several times. */
export function queryText(request: Request, name: string): string | undefined {
  const value = request.query[name]
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? undefined : text
}

/** The one of `choices` that the query names. */
export function queryChoice<T extends string>(request: Request, name: string, choices: readonly T[]): T | undefined {
  const text = queryText(request, name)
  return choices.find((choice) => choice === text)
}

/** A whole number above 0 in the query; undefined for anything else. */
export function queryNumber(request: Request, name: string): number | undefined {
  const text = queryText(request, name)
  return text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined
}
