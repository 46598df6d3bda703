import { AppError } from '../errors.js'

/** What can be wrong with a request to a user's tree, besides the errors of storage. One closed set. */
export type VfsErrorCode =
  /** Not a path: control characters, too long, climbs out. */
  | 'BAD_PATH'
  /** No such mount or file for this user. */
  | 'NO_SUCH_PATH'
  /** The folder that should hold the new name is not there. */
  | 'PARENT_MISSING'
  /** `/` and the mounts themselves are the admin's to change. */
  | 'MOUNT_IS_FIXED'
  /** The permission is read-only. */
  | 'READ_ONLY'
  /** The target exists and the caller said not to replace it. */
  | 'TARGET_EXISTS'
  /** Source and target are the same, or one lies inside the other. */
  | 'OVERLAP'
  /** A folder where a file was meant. */
  | 'IS_COLLECTION'
  /** The name is a symbolic link, and this server does not tell where it leads. */
  | 'IS_SYMLINK'
  | 'LOCKED'
  /** A new lock conflicts with an existing one. */
  | 'LOCK_CONFLICT'
  /** No lock with this token covers the resource. */
  | 'NO_SUCH_LOCK'
  /** The lock belongs to another user. */
  | 'NOT_LOCK_OWNER'
  | 'TOO_MANY_LOCKS'
  /** What the caller knew of the target is no longer so (If-Match and kin, judged again just before the rename). */
  | 'PRECONDITION_FAILED'
  /** Another version came to stand there between the look at a file and its first byte. */
  | 'CHANGED'
  /** Fewer or more bytes came than the caller announced. */
  | 'SHORT_BODY'
  /** Announced size is above the free space or a limit. */
  | 'TOO_LARGE'
  /** A folder operation met its bound on items or time. */
  | 'TOO_MANY_ITEMS'
  /** The permission ended or changed while the operation ran. */
  | 'REVOKED'
  /** An administrator ended this one operation. */
  | 'ENDED'

export class VfsError extends AppError {
  /** Virtual paths that the error is about, e.g. the roots of the locks in the way. */
  readonly paths: readonly string[]

  constructor(
    readonly code: VfsErrorCode,
    message: string,
    options: { cause?: unknown; paths?: readonly string[] } = {},
  ) {
    super(message, options)
    this.paths = options.paths ?? []
  }
}

export function isVfsError(error: unknown, ...codes: VfsErrorCode[]): error is VfsError {
  return error instanceof VfsError && (codes.length === 0 || codes.includes(error.code))
}
