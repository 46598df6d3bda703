/**
 * The root of every error that FTPCluster raises on purpose. `code` is stable and searchable; the HTTP status of a code
 * stands in `http/status.ts` and nowhere else. `message` is for people and holds no secret.
 */
export abstract class AppError extends Error {
  abstract readonly code: string

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
  }
}

/** One thing wrong with one input. `field` is the name the user wrote, e.g. `servers[2].host`. */
export interface Problem {
  readonly field: string
  readonly message: string
}

/** Input that breaks a rule. All problems are reported at once, each naming its field and the fix. */
export class ValidationError extends AppError {
  readonly code = 'VALIDATION'

  constructor(readonly problems: readonly Problem[]) {
    super(problems.map((p) => `${p.field}: ${p.message}`).join('; '))
  }
}

/** Something named in a request to a service is not there: a user, server or permission. */
export class UnknownObjectError extends AppError {
  readonly code = 'UNKNOWN_OBJECT'
}

/** A change that collides with what exists: a name taken, the last admin, a row changed meanwhile. */
export class ConflictError extends AppError {
  readonly code = 'CONFLICT'
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
