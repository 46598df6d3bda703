import { AppError } from '../errors.js'

/** A command did its work and the answer is no. */
export class CommandFailed extends AppError {
  readonly code = 'COMMAND_FAILED'

  /** @param exitCode for scripts that tell one no from another */
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message)
  }
}
