import { HttpError } from '../http/errors.js'

/** What goes into the answer's `DAV:error` element. */
export interface DavErrorDetails {
  /** Precondition or postcondition of RFC 4918 section 16, by local name. */
  readonly condition?: string
  /** Tree paths that it names. */
  readonly hrefs?: readonly string[]
}

/** A WebDAV request that breaks a rule of RFC 4918. */
export class DavError extends HttpError {
  constructor(
    status: number,
    code: string,
    message: string,
    readonly details: DavErrorDetails = {},
  ) {
    super(status, code, message)
  }
}

/** 400 with a stable code. */
export function badRequest(code: string, message: string): DavError {
  return new DavError(400, code, message)
}
