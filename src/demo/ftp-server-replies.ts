/** Thrown for an answer that is no errno. */
export class FtpReply extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message)
    this.name = 'FtpReply'
  }
}

/** Reply codes of RFC 959 section 4.2.1 and RFC 1123 section 4.1.2 for what the file system says. */
export const FAULTS: Readonly<Record<string, readonly [number, string]>> = {
  ENOENT: [550, 'No such file or directory'],
  ENOTDIR: [550, 'Not a directory'],
  EISDIR: [550, 'Is a directory'],
  EEXIST: [550, 'File exists'],
  ENOTEMPTY: [550, 'Directory not empty'],
  EACCES: [550, 'Permission denied'],
  EPERM: [550, 'Operation not permitted'],
  EROFS: [550, 'Read-only file system'],
  ELOOP: [550, 'Too many levels of symbolic links'],
  ENXIO: [550, 'Not a regular file'],
  ENAMETOOLONG: [553, 'File name too long'],
  EINVAL: [553, 'Invalid argument'],
  EIO: [451, 'Input/output error'],
  ENOSPC: [452, 'No space left on device'],
  EDQUOT: [552, 'Disk quota exceeded'],
  EFBIG: [552, 'File too large'],
}
