import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { labPrograms } from '../lab/programs.js'
import { run, type RunResult } from '../lab/run.js'

export interface RcloneTarget {
  /** Of a folder of the drive. */
  readonly url: string
  readonly username: string
  readonly password: string
}

/** rclone with one remote, `drive:`, and no settings of the user's. */
export class Rclone {
  private constructor(
    readonly program: string,
    readonly env: NodeJS.ProcessEnv,
  ) {}

  /** @param vendor `owncloud` sends and expects modification times */
  static async on(
    { url, username, password }: RcloneTarget,
    vendor: 'owncloud' | 'other' = 'owncloud',
  ): Promise<Rclone> {
    const { root, env } = await labPrograms()
    const program = `${root}/usr/bin/rclone`
    const obscured = await run(program, ['obscure', '-'], { env, input: password })
    return new Rclone(program, {
      ...env,
      HOME: '/nonexistent',
      RCLONE_CONFIG: '/dev/null',
      RCLONE_CONFIG_DRIVE_TYPE: 'webdav',
      RCLONE_CONFIG_DRIVE_URL: url,
      RCLONE_CONFIG_DRIVE_VENDOR: vendor,
      RCLONE_CONFIG_DRIVE_USER: username,
      RCLONE_CONFIG_DRIVE_PASS: obscured.stdout.trim(),
      // What fails must show.
      RCLONE_RETRIES: '1',
      RCLONE_LOW_LEVEL_RETRIES: '1',
      RCLONE_TRANSFERS: '8',
      RCLONE_CHECKERS: '8',
      RCLONE_USE_JSON_LOG: 'false',
    })
  }

  run(...args: string[]): Promise<RunResult> {
    return run(this.program, args, { env: this.env, timeout: 600_000 })
  }

  /** Rejects with what rclone wrote when it did not succeed. */
  async must(...args: string[]): Promise<RunResult> {
    const result = await this.run(...args)
    if (result.code !== 0) throw new Error(`rclone ${args.join(' ')} ended with ${result.code}\n${result.stderr}`)
    return result
  }

  /** Renames on the drive, all by one rclone, `atOnce` at a time. */
  async rename(renames: readonly { from: string; to: string }[], atOnce = 8): Promise<void> {
    const daemon = spawn(this.program, ['rcd', '--rc-no-auth', '--rc-addr', '127.0.0.1:0'], {
      env: this.env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    try {
      const address = await addressOf(daemon)
      const queue = [...renames]
      const work = async () => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const response = await fetch(`${address}operations/movefile`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ srcFs: 'drive:', srcRemote: next.from, dstFs: 'drive:', dstRemote: next.to }),
          })
          const text = await response.text()
          if (!response.ok) throw new Error(`${next.from} -> ${next.to}: ${text}`)
        }
      }
      await Promise.all(Array.from({ length: atOnce }, work))
    } finally {
      const ended = once(daemon, 'exit')
      if (daemon.kill()) await ended
    }
  }
}

async function addressOf(daemon: ChildProcess): Promise<string> {
  if (daemon.stderr === null) throw new Error('no output')
  let output = ''
  for await (const line of createInterface({ input: daemon.stderr })) {
    const address = /http:\/\/127\.0\.0\.1:\d+\//.exec(line)?.[0]
    if (address !== undefined) {
      // Nobody reads further, and a full pipe would stop it.
      daemon.stderr.resume()
      return address
    }
    output += `${line}\n`
  }
  throw new Error(`rclone rcd did not come up:\n${output}`)
}
