import { z } from 'zod'
import { encodePath } from '../../../http/url-path.js'
import type { Node } from '../../../vfs/node.js'
import type { Tree } from '../../../vfs/tree.js'
import { isInsideMount, readPath } from '../../../vfs/virtual-path.js'
import type { Call } from '../operation.js'

/** What servers, and what stands on them, can bring about besides the errors of every operation. */
export const FILE_ERRORS = [404, 405, 409, 412, 423, 501, 502, 504, 507]

export const BYTES = 'The bytes go by `href` (GET, PUT, DELETE), with the same token; see `GET /api/v1/files/entry`.'

const MAX_PATH = 4096

/** Of a file or folder, `/` included, as `/server2/folder/file`. */
export const pathInput = z
  .string()
  .max(MAX_PATH, `must not be longer than ${MAX_PATH} characters`)
  .refine((text) => readPath(text) !== undefined, 'must be a path, e.g. /server2/folder')

/** Of what can be changed: the servers' own folders are the administrator's. */
export const pathInServer = z
  .string()
  .max(MAX_PATH, `must not be longer than ${MAX_PATH} characters`)
  .refine(isInsideMount, 'must be a path inside a server, e.g. /server2/folder/file.txt')

/** The virtual path in a text that a schema has let through. */
export function pathOf(text: string): string {
  return readPath(text) ?? '/'
}

export const entrySchema = z
  .object({
    path: z.string().describe('In your tree: /server/folder/name.'),
    name: z.string(),
    type: z.enum(['file', 'directory']),
    size: z.int().nullable().describe('Bytes; null for folders.'),
    modified: z.iso.datetime().nullable().describe('null where the server does not tell.'),
    etag: z.string().nullable().describe('Of the content, as in the ETag header; null for folders.'),
    symlink: z.boolean().describe('A symbolic link, of the type that it points to.'),
    href: z.string().describe('Where the bytes are: GET, PUT and DELETE with a token. Path part of a URL.'),
  })
  .meta({ id: 'FileEntry' })

/** @param username whose tree it is */
export function viewOfEntry(node: Node, username: string): z.input<typeof entrySchema> {
  const { path, name, type, size, modified, etag, symlink } = node
  const folder = type === 'directory'
  return {
    ...{ path, name, type, symlink },
    size: folder ? null : size,
    modified: modified === undefined ? null : new Date(modified).toISOString(),
    etag: etag ?? null,
    href: encodePath(`/ftp/${username}${path === '/' ? '' : path}`, folder),
  }
}

/** The tree of who calls. @throws HttpError 401, 403 */
export function treeOf({
  services,
  user,
  client,
}: Pick<Call<'any'>, 'services' | 'user' | 'client'>): Tree | Promise<Tree> {
  return services.treeFor(user, client)
}
