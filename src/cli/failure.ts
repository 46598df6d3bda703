import { AppError } from '../errors.js'

/** A command did its work and the answer is no. */
export class CommandFailed extends AppError {
  readonly code = 'COMMAND_FAILED'
}
