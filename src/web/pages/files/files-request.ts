import type { Request, Response } from 'express'
import { requestClient } from '../../../http/request-client.js'
import { signalOf } from '../../../http/request-signal.js'
import type { Access } from '../../../vfs/mount.js'
import type { Call, Guard, Tree } from '../../../vfs/tree.js'
import type { WebDependencies } from '../../dependencies.js'
import { visitorOf } from '../../page/visitor.js'
import { aliasOf } from './file-path.js'

/** What the files pages need. */
export interface FilesDependencies extends Pick<WebDependencies, 'treeFor' | 'permissions' | 'jobs' | 'config'> {
  readonly isProxy: (address: string) => boolean
}

/** A browser submits no lock tokens: what is locked stays as it is. */
export const NO_LOCKS: Guard = { lockTokens: new Set() }

/**
 * The visitor's tree and a call that ends with the request.
 * @param options.outlivesSession what is begun in the tree does not end with the session: for jobs
 */
export async function openTree(
  { treeFor, isProxy }: Pick<FilesDependencies, 'treeFor' | 'isProxy'>,
  request: Request,
  response: Response,
  { outlivesSession = false } = {},
): Promise<{ tree: Tree; call: Call }> {
  const visitor = { ...visitorOf(request), ...(outlivesSession && { proof: undefined }) }
  const tree = await treeFor(visitor, requestClient(request, visitor, isProxy))
  return { tree, call: { signal: signalOf(request, response) } }
}

/** What the visitor may do in a folder; the top folder lists the servers and is nobody's to change. */
export async function accessTo(
  { permissions }: Pick<FilesDependencies, 'permissions'>,
  request: Request,
  path: string,
): Promise<Access> {
  const alias = aliasOf(path)
  if (alias === undefined) return 'read-only'
  const mine = await permissions.list({ userId: visitorOf(request).userId })
  return mine.find((permission) => permission.alias === alias)?.access ?? 'read-only'
}
