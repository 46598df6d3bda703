import { AppError } from '../errors.js'

export interface HttpErrorOptions {
  /** Headers that belong to this answer, e.g. `Content-Range` of a 416. */
  readonly headers?: Record<string, string>
  readonly cause?: unknown
}

/** A request that HTTP itself answers, with the status it gets. `message` goes to the client. */
export class HttpError extends AppError {
  readonly headers: Readonly<Record<string, string>>

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    options: HttpErrorOptions = {},
  ) {
    super(message, { cause: options.cause })
    this.headers = options.headers ?? {}
  }
}

/** Nobody is left to answer. 499 is nginx's word for it and appears in logs only. */
export function clientGone(cause?: unknown): HttpError {
  return new HttpError(499, 'CLIENT_GONE', 'The client closed the connection.', { cause })
}
