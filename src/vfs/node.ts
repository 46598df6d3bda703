/** A file or folder as one user sees it. */
export interface Node {
  /** Virtual path: `/`, `/alias`, `/alias/rest`; names as the server spells them, no trailing slash. */
  readonly path: string
  /** Last segment; '' for the root. */
  readonly name: string
  readonly type: 'file' | 'directory'
  /** True for a symbolic link (of the type that it points to). */
  readonly symlink: boolean
  /** Bytes; 0 for a directory. */
  readonly size: number
  /**
   * Milliseconds since the epoch. For a directory: changes when its members change, and only then.
   * Undefined where nobody knows.
   */
  readonly modified: number | undefined
  /** Strong entity tag with its quotes; undefined for directories. */
  readonly etag: string | undefined
}

/** A folder and its members. */
export interface NodeListing {
  readonly self: Node
  readonly members: readonly Node[]
}

/** A member that could not be handled in an operation on a whole folder. */
export interface Failure {
  /** Virtual path. */
  readonly path: string
  readonly error: unknown
}
