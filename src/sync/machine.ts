import type { ProvisionerCall } from './provisioner.js'

export interface RunOptions extends ProvisionerCall {
  /** For standard input: the only way for a secret. Empty when left out. */
  readonly input?: string | undefined
  /** What must not appear in an error, should the program repeat it. */
  readonly secrets?: readonly string[] | undefined
}

export interface RunResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Where programs are run. */
export interface Machine {
  /**
   * Runs a program to its end, whatever its exit code. It gets exactly these arguments.
   * @throws UNREACHABLE, TIMED_OUT, ABORTED, PROTOCOL (more output than is taken, killed by a signal)
   */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>
  close(): Promise<void>
}

/** Milliseconds for one program. */
export const PROGRAM_DEADLINE = 30_000
/** Bytes of output and of errors together: a list of ten thousand accounts fits. */
export const MOST_OUTPUT = 4 * 1024 * 1024
