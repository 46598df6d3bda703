import { Command, CommanderError } from 'commander'
import { readFileSync } from 'node:fs'
import type { Config } from '../config/config.js'
import { AppError, messageOf, ValidationError } from '../errors.js'
import { auditCommand } from './commands/audit.js'
import { applyCommand, exportCommand } from './commands/cluster.js'
import { doctorCommand } from './commands/doctor.js'
import { migrateCommand } from './commands/migrate.js'
import { permissionCommand } from './commands/permission.js'
import { serverCommand } from './commands/server.js'
import { syncCommand } from './commands/sync.js'
import { userCommand } from './commands/user.js'
import { createCommandContext } from './context.js'
import { CommandFailed } from './failure.js'
import { Interrupted, printable, type Terminal } from './terminal.js'

/** Done; failed; called or fed wrongly; stopped by Ctrl-C. */
const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const

export interface ProgramParts {
  /** @throws ValidationError */
  readonly loadConfig: () => Config
  /** Runs the gateway until it is told to stop. */
  readonly serve?: (config: Config) => Promise<void>
}

/**
 * Runs one command.
 * @param args without `node` and the script
 * @returns the exit code
 */
export async function runCommand(args: readonly string[], terminal: Terminal, parts: ProgramParts): Promise<number> {
  try {
    await createProgram(terminal, parts).parseAsync([...args], { from: 'user' })
    return EXIT.ok
  } catch (error) {
    return report(error, terminal)
  }
}

function createProgram(terminal: Terminal, { loadConfig, serve }: ProgramParts): Command {
  const context = createCommandContext(terminal, loadConfig)
  const program = new Command('ftpcluster')
    .description('One gateway in front of many FTP, FTPS and SFTP servers')
    .version(versionOf(), '-V, --version', 'say which version this is')
    .addCommand(applyCommand(context))
    .addCommand(exportCommand(context))
    .addCommand(userCommand(context))
    .addCommand(serverCommand(context))
    .addCommand(permissionCommand(context))
    .addCommand(syncCommand(context))
    .addCommand(auditCommand(context))
    .addCommand(migrateCommand(context))
    .addCommand(doctorCommand(context))
  if (serve) {
    program
      .command('serve')
      .description('start the gateway')
      .action(() => serve(loadConfig()))
  }
  strict(program, terminal)
  return program
}

/** `package.json` stands at the same distance from `src/cli/` and `dist/cli/`. */
function versionOf(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** Commander would end the process itself, and commands do not inherit that it must not. */
function strict(command: Command, terminal: Terminal): void {
  command
    .exitOverride()
    .showHelpAfterError('(add --help for what can be said)')
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    })
  for (const child of command.commands) strict(child, terminal)
}

function report(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof Interrupted) return EXIT.interrupted
  if (error instanceof ValidationError) {
    for (const { field, message } of error.problems) terminal.err(printable(`${field}: ${message}`))
    return EXIT.usage
  }
  terminal.err(printable(error instanceof AppError ? error.message : `Unexpected: ${messageOf(error)}`))
  return error instanceof CommandFailed ? error.exitCode : EXIT.failure
}
