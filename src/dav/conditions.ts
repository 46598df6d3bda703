import { checkPreconditions, isConditional } from '../http/preconditions.js'
import { isStorageError } from '../storage/errors.js'
import { isVfsError } from '../vfs/errors.js'
import type { Node } from '../vfs/node.js'
import { DavError, badRequest } from './dav-error.js'
import { singleHeaderOf, type Exchange } from './exchange.js'
import { evaluateIf, parseIf, submittedTokens, type ResourceState } from './if-header.js'
import { parseTreePath } from './tree-path.js'

const NO_TOKENS: ReadonlySet<string> = new Set()

/**
 * Judges the `If` header. To be called by every verb, also where the resource is not there.
 * @returns the lock tokens that the request submits
 * @throws DavError 400 (malformed), 412 (false)
 */
export async function checkIf(exchange: Exchange): Promise<ReadonlySet<string>> {
  const header = singleHeaderOf(exchange.request, 'if')
  if (header === undefined) return NO_TOKENS
  const lists = parseIf(header)
  const states = new Map<string | undefined, ResourceState>()
  for (const { tag } of lists) {
    if (!states.has(tag)) states.set(tag, stateOf(exchange, tag === undefined ? exchange.treePath : pathOfTag(tag)))
  }
  const holds = await evaluateIf(lists, (tag) => states.get(tag) ?? NOTHING)
  if (!holds) throw new DavError(412, 'IF_FAILED', 'The If header does not hold.')
  return submittedTokens(lists)
}

const NOTHING: ResourceState = { tokens: () => Promise.resolve(NO_TOKENS), etag: () => Promise.resolve(undefined) }

function stateOf(exchange: Exchange, path: string | undefined): ResourceState {
  if (path === undefined) return NOTHING
  const { tree, call } = exchange
  let tokens: Promise<ReadonlySet<string>> | undefined
  let etag: Promise<string | undefined> | undefined
  return {
    tokens: () =>
      (tokens ??= unlessMissing(spelledPath(exchange, path).then((spelled) => tree.locks(spelled))).then(
        (locks) => new Set(locks?.map((l) => l.token)),
      )),
    etag: () => (etag ??= unlessMissing(tree.stat(path, call)).then((node) => node?.etag)),
  }
}

/** Tags are compared by path alone: behind a proxy, clients see another scheme, host and port. */
function pathOfTag(tag: string): string | undefined {
  const path = tag.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*/, '')
  if (path !== '' && !path.startsWith('/')) throw badRequest('BAD_IF', 'A tag of the If header is no URI.')
  return parseTreePath(path === '' ? '/' : path).treePath
}

/**
 * The path as the server spells it, which is how locks are kept, for clients that spell names in their own way; the path
 * as it is when nothing is there.
 */
export async function spelledPath({ tree, call, client }: Exchange, path: string): Promise<string> {
  if (client.names === 'exact') return path
  return (await unlessMissing(tree.stat(path, call)))?.path ?? path
}

/** The value, or undefined when nothing is there. */
export async function unlessMissing<T>(value: Promise<T>): Promise<T | undefined> {
  try {
    return await value
  } catch (error) {
    if (isVfsError(error, 'NO_SUCH_PATH') || isStorageError(error, 'NOT_FOUND', 'NOT_A_DIRECTORY')) return undefined
    throw error
  }
}

/** The check of If-Match and its kin for a changing method, to be made on the resource as it is then. */
export function preconditionsOf(exchange: Exchange): { check?: (current: Node | undefined) => void } {
  const { headers } = exchange.request
  if (!isConditional(headers)) return {}
  return {
    check: (current) => {
      checkPreconditions(headers, current, { safe: false })
    },
  }
}
