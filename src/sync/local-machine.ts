import { spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { MOST_OUTPUT, PROGRAM_DEADLINE, type Machine, type RunOptions, type RunResult } from './machine.js'
import { ProvisionError } from './provision-error.js'

/** All that a program is told of the gateway's environment: nothing of its keys. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' }

/**
 * Programs on the gateway itself, without a shell, and only those that lie in `folder`: who may change settings in the web
 * app must not thereby run whatever there is on the gateway.
 */
export function localMachine(folder: string, deadline = PROGRAM_DEADLINE): Machine {
  return {
    async run(argv, options = {}) {
      const [name = '', ...rest] = argv
      if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name)) {
        throw new ProvisionError(
          'REFUSED',
          'A command on the gateway is the name of a file in its folder for commands.',
        )
      }
      const program = path.join(folder, name)
      const file = await stat(program).catch(() => undefined)
      if (file?.isFile() !== true)
        throw new ProvisionError('TOOL_MISSING', `${name} is not in the folder for commands.`)
      return runHere(program, rest, folder, options, deadline)
    },
    close: () => Promise.resolve(),
  }
}

function runHere(
  program: string,
  rest: readonly string[],
  folder: string,
  { signal, input = '' }: RunOptions,
  deadline: number,
): Promise<RunResult> {
  const name = path.basename(program)
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new ProvisionError('ABORTED', 'The step was stopped.'))
      return
    }
    // A group of its own, so that what it started ends with it.
    const child = spawn(program, rest, { cwd: folder, env: ENVIRONMENT, stdio: 'pipe', detached: true, shell: false })
    let failed: ProvisionError | undefined
    const fail = (error: ProvisionError) => {
      failed ??= error
      if (child.pid === undefined) return
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch (gone) {
        if ((gone as NodeJS.ErrnoException).code !== 'ESRCH') throw gone
      }
    }
    const onAbort = () => fail(new ProvisionError('ABORTED', 'The step was stopped.'))
    const onTime = () => fail(new ProvisionError('TIMED_OUT', `${name} did not end within ${deadline} ms.`))
    const timer = setTimeout(onTime, deadline)
    signal?.addEventListener('abort', onAbort, { once: true })
    const [out, err]: Buffer[][] = [[], []]
    let size = 0
    const into =
      (list: Buffer[] = []) =>
      (chunk: Buffer) => {
        size += chunk.length
        if (size > MOST_OUTPUT) fail(new ProvisionError('PROTOCOL', `${name} writes more than is taken.`))
        else list.push(chunk)
      }
    child.stdout.on('data', into(out))
    child.stderr.on('data', into(err))
    child.stdin.on('error', () => {
      // A program that does not read its input says so by its exit code.
    })
    const settle = (code: number | null, broken?: Error) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      const [stdout = '', stderr = ''] = [out, err].map((list) => Buffer.concat(list ?? []).toString())
      if (failed) reject(failed)
      else if (broken) reject(new ProvisionError('DENIED', `${name} cannot be run.`, { cause: broken }))
      else if (code === null) reject(new ProvisionError('PROTOCOL', `${name} was ended by a signal.`))
      else resolve({ code, stdout, stderr })
    }
    child.on('error', (error) => settle(null, error))
    child.on('close', (code) => settle(code))
    child.stdin.end(input)
  })
}
