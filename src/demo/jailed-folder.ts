import { lstat, realpath } from 'node:fs/promises'
import { posix, sep } from 'node:path'

/** A path that leads out of the folder. `code` as of an errno, so that it is answered like one. */
export class OutsideError extends Error {
  readonly code = 'EACCES'

  constructor() {
    super('The path leads out of the folder.')
    this.name = 'OutsideError'
  }
}

/**
 * A local folder as the whole tree that a client sees: `/` is the folder, and no link leads out of it. For demo and tests:
 * between check and use a local program could still move a link in.
 */
export class JailedFolder {
  private constructor(private readonly root: string) {}

  static async open(folder: string): Promise<JailedFolder> {
    return new JailedFolder(await realpath(folder))
  }

  /** The local path of what `path` names itself: a link is not followed. */
  async own(path: string): Promise<string> {
    const clean = posix.resolve('/', path)
    if (clean === '/') return this.root
    const parent = this.#inside(await realpath(this.root + posix.dirname(clean)))
    return parent + sep + posix.basename(clean)
  }

  /** The local path of what `path` leads to, links followed; it need not exist, its parent must. */
  async target(path: string): Promise<string> {
    const own = await this.own(path)
    try {
      return this.#inside(await realpath(own))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    // A link to nothing: creating through it could create anything.
    const dangling = await lstat(own).then(
      () => true,
      () => false,
    )
    if (dangling) throw Object.assign(new Error('dangling link'), { code: 'ENOENT' })
    return own
  }

  /** The path that a client uses for the local path `local`. */
  outer(local: string): string {
    return local === this.root ? '/' : local.slice(this.root.length)
  }

  #inside(local: string): string {
    if (local !== this.root && !local.startsWith(this.root + sep)) throw new OutsideError()
    return local
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
