import { HttpError } from '../../../http/errors.js'
import type { Node } from '../../../vfs/node.js'
import type { Call, Tree } from '../../../vfs/tree.js'

export interface ZipMember {
  readonly node: Node
  /** Path in the archive: relative, `/` between segments, nothing that climbs or names a drive. */
  readonly name: string
}

export interface ZipBounds {
  readonly items: number
  readonly bytes: number
}

/**
 * Everything below `nodes`, folders before what is in them. Symbolic links are left out: they may lead in circles, or out
 * of what was asked for.
 * @throws HttpError 507 above the bounds
 */
export async function collectMembers(
  tree: Pick<Tree, 'list'>,
  nodes: readonly Node[],
  bounds: ZipBounds,
  call: Call,
): Promise<ZipMember[]> {
  const found: ZipMember[] = []
  let bytes = 0
  const add = async (node: Node, prefix: string, taken: Set<string>): Promise<void> => {
    if (node.symlink) return
    const name = prefix + freeName(safeName(node.name || 'files'), taken)
    found.push({ node, name })
    bytes += node.size
    if (found.length > bounds.items || bytes > bounds.bytes) {
      const message = `This is more than one ZIP may hold (${bounds.items} files and folders). Download it in parts.`
      throw new HttpError(507, 'ZIP_TOO_LARGE', message)
    }
    if (node.type !== 'directory') return
    call.signal.throwIfAborted()
    const inside = new Set<string>()
    for (const member of (await tree.list(node.path, call)).members) await add(member, `${name}/`, inside)
  }
  const top = new Set<string>()
  for (const node of nodes) await add(node, '', top)
  return found
}

/** What unpackers of any system take for a plain name. */
function safeName(name: string): string {
  // eslint-disable-next-line no-control-regex
  const plain = name.toWellFormed().replace(/[\\/:\u0000-\u001f\u007f]/g, '_')
  return plain === '.' || plain === '..' ? '_' : plain
}

/** Two names that became one are told apart by a number. */
function freeName(name: string, taken: Set<string>): string {
  let free = name
  for (let number = 2; taken.has(free); number++) free = `${name} (${number})`
  taken.add(free)
  return free
}
