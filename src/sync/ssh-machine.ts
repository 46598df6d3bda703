import ssh2, { type ClientChannel } from 'ssh2'
import { anyOf } from '../heap/signals.js'
import type { Endpoint, Login } from '../storage/driver.js'
import type { Drivers } from '../storage/drivers.js'
import { StorageError } from '../storage/errors.js'
import { explainLogin } from '../storage/sftp/sftp-driver.js'
import { ALGORITHMS, fingerprintOf, isTrusted, LoginAttempt } from '../storage/sftp/sftp-login.js'
import { MOST_OUTPUT, PROGRAM_DEADLINE, type Machine, type RunOptions, type RunResult } from './machine.js'
import { fromStorage, ProvisionError } from './provision-error.js'
import { shellWords } from './shell-words.js'

export interface SshOptions {
  readonly drivers: Pick<Drivers, 'dial'>
  /** Milliseconds for the login and for each program. */
  readonly deadline?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Logs in over SSH, for programs and nothing else: one connection of its own, with the trust rules of SFTP.
 * @throws UNREACHABLE, UNTRUSTED, LOGIN_REJECTED, TIMED_OUT, ABORTED
 */
export async function openSshMachine(
  endpoint: Pick<Endpoint, 'host' | 'port' | 'trust'>,
  login: Login,
  options: SshOptions,
): Promise<Machine> {
  const deadline = options.deadline ?? PROGRAM_DEADLINE
  const client = new ssh2.Client()
  try {
    await logIn(client, endpoint, login, options, deadline)
  } catch (error) {
    client.destroy()
    throw fromStorage(error)
  }
  let ended: Error | undefined
  client.on('error', (error) => (ended ??= error))
  client.on('close', () => (ended ??= new Error('closed')))

  return {
    run(argv, call = {}) {
      if (ended) return Promise.reject(lost(ended))
      return runOver(client, argv, call, deadline)
    },
    close() {
      client.end()
      return Promise.resolve()
    },
  }
}

async function logIn(
  client: ssh2.Client,
  endpoint: Pick<Endpoint, 'host' | 'port' | 'trust'>,
  login: Login,
  { drivers, signal }: SshOptions,
  deadline: number,
): Promise<void> {
  const attempt = new LoginAttempt(login)
  const time = AbortSignal.timeout(deadline)
  const stop = signal ? anyOf(signal, time) : time
  const sock = await drivers.dial(endpoint.host, endpoint.port, { signal: stop })
  let distrusted: string | undefined
  const hangUp = () => sock.destroy()
  stop.addEventListener('abort', hangUp, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve)
      client.on('error', reject)
      client.once('close', () => reject(new Error('closed')))
      client.on('change password', () => {
        attempt.reason = 'The server asks for a new password.'
        sock.destroy()
      })
      client.connect({
        sock,
        username: login.username,
        algorithms: ALGORITHMS,
        hostVerifier: (key: Buffer) => {
          const shown = fingerprintOf(key)
          if (!isTrusted(endpoint.trust, shown)) distrusted = shown
          return distrusted === undefined
        },
        // `false` ends the attempt; the types leave it out.
        authHandler: (methods, partial, next) => next(attempt.next(methods, partial) as Parameters<typeof next>[0]),
        readyTimeout: 0,
        keepaliveInterval: 5000,
        keepaliveCountMax: 2,
      })
    })
  } catch (error) {
    if (signal?.aborted) throw new ProvisionError('ABORTED', 'The step was stopped.', { cause: error })
    if (time.aborted) {
      throw new ProvisionError('TIMED_OUT', `The login was not complete within ${deadline} ms.`, { cause: error })
    }
    if (distrusted !== undefined) {
      throw new StorageError('UNTRUSTED', `The server shows the host key ${distrusted}, which is not the one trusted.`)
    }
    throw explainLogin(error, attempt)
  } finally {
    stop.removeEventListener('abort', hangUp)
  }
}

function lost(cause: unknown): ProvisionError {
  return new ProvisionError('UNREACHABLE', 'The connection to the server broke.', { cause })
}

/** After a deadline or an abort nobody knows what the program did: the connection ends with it. */
function runOver(client: ssh2.Client, argv: readonly string[], call: RunOptions, deadline: number): Promise<RunResult> {
  const { signal, input = '' } = call
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      client.removeListener('close', onClose)
      settle()
    }
    const fail = (error: ProvisionError) => {
      finish(() => reject(error))
      client.destroy()
    }
    const onAbort = () => fail(new ProvisionError('ABORTED', 'The step was stopped.', { cause: signal?.reason }))
    const onClose = () => fail(lost(undefined))
    const onTime = () => fail(new ProvisionError('TIMED_OUT', `${argv[0]} did not end within ${deadline} ms.`))
    const timer = setTimeout(onTime, deadline)
    if (signal?.aborted) {
      onAbort()
      return
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    client.once('close', onClose)
    client.exec(shellWords(argv), (error: Error | undefined, channel: ClientChannel) => {
      if (error) {
        fail(new ProvisionError('PROTOCOL', 'The server runs no programs for this login.', { cause: error }))
        return
      }
      const out: Buffer[] = []
      const err: Buffer[] = []
      let size = 0
      const into = (list: Buffer[]) => (chunk: Buffer) => {
        size += chunk.length
        if (size > MOST_OUTPUT) fail(new ProvisionError('PROTOCOL', `${argv[0]} writes more than is taken.`))
        else list.push(chunk)
      }
      channel.on('data', into(out))
      channel.stderr.on('data', into(err))
      let code: number | undefined
      channel.on('exit', (status: number | null) => (code = status ?? undefined))
      channel.on('error', (broken: Error) => fail(lost(broken)))
      channel.on('close', () => {
        const [stdout, stderr] = [out, err].map((list) => Buffer.concat(list).toString())
        if (code === undefined) fail(new ProvisionError('PROTOCOL', `${argv[0]} was ended by a signal.`))
        else finish(() => resolve({ code: code ?? 0, stdout: stdout ?? '', stderr: stderr ?? '' }))
      })
      channel.end(input)
    })
  })
}
