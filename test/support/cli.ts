import { Readable } from 'node:stream'
import { runCommand } from '../../src/cli/program.js'
import { loadConfig } from '../../src/config/config.js'

export interface Outcome {
  /** Null where a signal ended the process. */
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Surroundings {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
}

/** A command of `ftpcluster` in this process: starting one takes longer than most commands. */
export async function runCli(
  args: string[],
  settings: Readonly<Record<string, string>>,
  { input = '', env = {} }: Surroundings = {},
): Promise<Outcome> {
  let out = ''
  let err = ''
  const stdin = Object.assign(Readable.from([Buffer.from(input)]), { isTTY: false }) as unknown as NodeJS.ReadStream
  const terminal = {
    stdin,
    env,
    out: (line: string) => void (out += line + '\n'),
    err: (line: string) => void (err += line + '\n'),
    ask: (text: string) => void (err += text),
  }
  const code = await runCommand(args, terminal, { loadConfig: () => loadConfig({ ...settings, ...env }) })
  return { code, out, err }
}
