import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { messageOf, ValidationError } from '../errors.js'
import { readHidden, readPiped, type Terminal } from './terminal.js'

export interface SecretSource {
  readonly passwordEnv?: string
  readonly passwordFile?: string
}

/** Secrets never stand on the command line, where every process of the machine can read them. */
export function withSecretOptions(command: Command, what: string, prefix = ''): Command {
  return command
    .option(`--${prefix}password-env <name>`, `take ${what} from this environment variable`)
    .option(`--${prefix}password-file <path>`, `take ${what} from this file`)
}

/**
 * The password from where the options say, else from a prompt, else from standard input when that is piped.
 * @param again ask a person twice
 * @throws ValidationError
 */
export async function readSecret(
  terminal: Terminal,
  source: SecretSource,
  what: string,
  { again = false, field = 'password' } = {},
): Promise<string> {
  if (source.passwordEnv !== undefined && source.passwordFile !== undefined) {
    throw problem(field, 'name an environment variable or a file, not both')
  }
  if (source.passwordEnv !== undefined) {
    const value = terminal.env[source.passwordEnv]
    if (value === undefined || value === '')
      throw problem(field, `the environment variable ${source.passwordEnv} is not set`)
    return value
  }
  if (source.passwordFile !== undefined) return readSecretFile(source.passwordFile, field)
  if (!terminal.stdin.isTTY) {
    const text = withoutLineBreak(await readPiped(terminal))
    if (text === '') {
      throw problem(field, 'is required: pipe it in, or use --password-env or --password-file')
    }
    return text
  }
  const secret = await readHidden(terminal, `${what}: `)
  if (again && secret !== (await readHidden(terminal, `${what}, again: `))) throw problem(field, 'the two do not match')
  return secret
}

/** A secret's file; its last line break does not belong to it. @throws ValidationError */
export async function readSecretFile(path: string, field: string): Promise<string> {
  try {
    return withoutLineBreak(await readFile(path, 'utf8'))
  } catch (error) {
    throw problem(field, `the file ${path} cannot be read (${codeOf(error)})`)
  }
}

export function withoutLineBreak(text: string): string {
  return text.replace(/\r?\n$/, '')
}

/** `ENOENT` and the like; the message repeats the path. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error)
}

function problem(field: string, message: string): ValidationError {
  return new ValidationError([{ field, message }])
}
