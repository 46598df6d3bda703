import type { Machine, RunOptions, RunResult } from './machine.js'
import { ProvisionError } from './provision-error.js'

/** The programs of a server, run as root: by `sudo -n` where the login is not. Their words come in English. */
export class Tools {
  private constructor(
    private readonly machine: Machine,
    /** The login's own name: an account that nobody changes here. */
    readonly login: string,
    private readonly isRoot: boolean,
  ) {}

  static async of(machine: Machine, login: string, options?: RunOptions): Promise<Tools> {
    const { code, stdout } = await machine.run(['id', '-u'], options)
    const uid = stdout.trim()
    if (code !== 0 || !/^\d+$/.test(uid)) {
      throw new ProvisionError('UNSUPPORTED', 'The admin login has no shell that runs programs.')
    }
    return new Tools(machine, login, uid === '0')
  }

  /** With the login's own rights. @throws TOOL_MISSING; other exit codes are the caller's to judge */
  async plain(argv: readonly string[], options?: RunOptions): Promise<RunResult> {
    return checked(argv, await this.machine.run(['env', 'LC_ALL=C', ...argv], options), options)
  }

  /** With root's rights. @throws TOOL_MISSING, DENIED (by sudo); other exit codes are the caller's to judge */
  async asRoot(argv: readonly string[], options?: RunOptions): Promise<RunResult> {
    const become = this.isRoot ? [] : ['sudo', '-n', '--']
    return checked(argv, await this.machine.run(['env', 'LC_ALL=C', ...become, ...argv], options), options)
  }

  /** As `asRoot`, for a program that must succeed. Returns its output. */
  async must(argv: readonly string[], options?: RunOptions): Promise<string> {
    const result = await this.asRoot(argv, options)
    if (result.code !== 0) throw failure(argv, result, options)
    return result.stdout
  }

  close(): Promise<void> {
    return this.machine.close()
  }
}

const NO_SUDO =
  /^sudo: .*(a password is required|a terminal is required|effective uid is not 0|you must have a tty)|not in the sudoers file|is not allowed to (execute|run)|may not run sudo/im

function checked(argv: readonly string[], result: RunResult, options: RunOptions | undefined): RunResult {
  const { code, stderr } = result
  const missing = code === 127 || (code === 1 && /^sudo: .*command not found/m.test(stderr))
  if (missing) {
    const tool = /['‘]sudo['’]: No such file/.test(stderr) ? 'sudo' : argv[0]
    throw new ProvisionError('TOOL_MISSING', `${tool} is not on the server.`)
  }
  if (code === 1 && NO_SUDO.test(stderr)) {
    throw new ProvisionError('DENIED', `sudo does not let the admin login run ${argv[0]} like this without a password.`)
  }
  if (code === 126) throw failure(argv, result, options, 'DENIED')
  return result
}

/** What a program said when it failed, without what nobody may read. */
export function failure(
  argv: readonly string[],
  { code, stderr }: RunResult,
  options?: RunOptions,
  as?: ProvisionError['code'],
): ProvisionError {
  const denied = /permission denied|operation not permitted|only root/i.test(stderr)
  const said = scrubbed(stderr, options?.secrets ?? [])
  const words = `${argv[0]} failed (${code})${said === '' ? '' : `: ${said}`}`
  return new ProvisionError(as ?? (denied ? 'DENIED' : 'PROTOCOL'), words)
}

const LONGEST_WORDS = 300

/** One line for people: secrets and hashes of passwords are blotted out, controls become spaces. */
export function scrubbed(text: string, secrets: readonly string[]): string {
  let clean = text
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '***')
  return clean
    .replace(/\$[0-9a-z]{1,10}\$[^\s:]+/gi, '***')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_WORDS)
}
