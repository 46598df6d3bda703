import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { labPrograms } from '../lab/programs.js'
import { run } from '../lab/run.js'

export interface CadaverTarget {
  /** Of a folder of the drive. */
  readonly url: string
  readonly username: string
  readonly password: string
}

/**
 * Feeds cadaver with commands, as if typed.
 * @returns its answers, one text for each command: `Uploading a.txt to …: succeeded.`
 */
export async function runCadaver(
  { url, username, password }: CadaverTarget,
  commands: readonly string[],
): Promise<string[]> {
  const { root, env } = await labPrograms()
  const home = await mkdtemp(path.join(tmpdir(), 'ftpcluster-cadaver-'))
  try {
    const { hostname } = new URL(url)
    const netrc = `machine ${hostname} login ${username} password ${password}\n`
    await writeFile(path.join(home, '.netrc'), netrc, { mode: 0o600 })
    const result = await run(path.join(root, 'usr/bin/cadaver'), [url], {
      cwd: home,
      env: { ...env, HOME: home, PAGER: 'cat', TERM: 'dumb' },
      input: [...commands, 'quit', ''].join('\n'),
    })
    if (result.code !== 0) throw new Error(`cadaver ended with ${result.code}\n${result.stdout}${result.stderr}`)
    // A prompt, the command repeated, its answer.
    const [, ...answers] = result.stdout.split(/dav:\/[^\n]*?> /)
    return commands.map((command, i) => (answers[i] ?? '').replace(command, '').trim())
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}
