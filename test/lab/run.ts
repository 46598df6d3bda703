import { spawn } from 'node:child_process'

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly input?: string | Uint8Array
  /** Milliseconds; the program is killed then and the run rejects. */
  readonly timeout?: number
}

export interface RunResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, whatever its exit code. Rejects when it cannot start or runs out of time. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const timeout = options.timeout ?? 120_000
    const child = spawn(command, args, {
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.stdin.on('error', () => {
      // A program that does not read its input says so by its exit code.
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const result = { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
      if (signal === 'SIGKILL') {
        reject(new Error(`${command} did not end within ${timeout} ms\n${result.stdout}\n${result.stderr}`))
      } else resolve(result)
    })
    child.stdin.end(options.input)
  })
}

/** Runs a program that must succeed; returns its output. */
export async function must(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(command, args, options)
  if (result.code !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${result.code}\n${result.stdout}\n${result.stderr}`)
  }
  return result.stdout
}
