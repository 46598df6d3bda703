import type { Request } from 'express'
import { ValidationError } from '../../../errors.js'
import { encodePath, parseUrlPath } from '../../../http/url-path.js'
import { childPath, readPath, splitMount, virtualPath } from '../../../vfs/virtual-path.js'
import { listOf, textsOf } from '../../page/form.js'

export const BASE = '/files'

/** Names that one form may hold. */
const MAX_NAMES = 1000

/** The virtual path behind `/files`. @throws HttpError 400, 414 */
export function pathOf(request: Request): string {
  const [raw = ''] = request.originalUrl.split('?', 1)
  return parseUrlPath(raw.slice(BASE.length) || '/').path
}

/** Path part of the URL of a file or folder. */
export function hrefOf(path: string, folder: boolean): string {
  return encodePath(BASE + (path === '/' ? '' : path), folder)
}

export function aliasOf(path: string): string | undefined {
  return splitMount(path)?.alias
}

/** One name that a user wrote, e.g. of a new folder. @throws ValidationError */
export function nameOf(body: unknown, field: string): string {
  const name = (textsOf(body)[field] ?? '').trim()
  if (name === '') throw problem(field, 'is required')
  assertName(field, name)
  return name
}

/** The members of a folder that were ticked. @throws ValidationError */
export function chosenIn(folder: string, body: unknown): string[] {
  const names = [...new Set(listOf(body, 'name'))]
  if (names.length === 0) throw problem('name', 'is missing: tick what you mean first')
  if (names.length > MAX_NAMES) throw problem('name', `holds more than ${MAX_NAMES} names`)
  for (const name of names) assertName('name', name)
  return names.map((name) => childPath(folder, name))
}

/** A folder that a user named as `/server/folder`. @throws ValidationError */
export function folderNamed(body: unknown, field: string): string {
  const text = textsOf(body)[field]
  if (text === undefined || text.trim() === '') throw problem(field, 'is required')
  const path = readPath(text)
  if (path === undefined) throw problem(field, 'is not a path')
  return path
}

function assertName(field: string, name: string): void {
  if (name === '.' || name === '..' || name.includes('/')) throw problem(field, 'cannot be a name')
  try {
    virtualPath([name])
  } catch {
    throw problem(field, 'holds characters that no name can have, or is too long')
  }
}

function problem(field: string, message: string): ValidationError {
  return new ValidationError([{ field, message }])
}
