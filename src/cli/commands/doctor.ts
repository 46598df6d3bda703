import { Command } from 'commander'
import { stat } from 'node:fs/promises'
import type { Config } from '../../config/config.js'
import { openDatabase } from '../../db/database.js'
import { databaseFileOf } from '../../db/database-file.js'
import { openSecrets } from '../../db/master-key.js'
import { messageOf } from '../../errors.js'
import { probeServer } from '../../servers/probe-server.js'
import type { CommandContext } from '../context.js'
import { CommandFailed } from '../failure.js'
import { codeOf } from '../read-secret.js'

const LEAST_NODE = [20, 19] as const

/** What a check found: fine, worth knowing, or a reason why the gateway would not start or would not be safe. */
type Finding = readonly ['ok' | 'warn' | 'FAIL', string]

export function doctorCommand({ terminal, config, drivers, withServices }: CommandContext): Command {
  return new Command('doctor')
    .description('check Node, configuration, files, master key and database; changes nothing')
    .option('--servers', 'also connect to every server')
    .action(async ({ servers: withServers = false }: { servers?: boolean }) => {
      let failed = false
      const check = async (name: string, work: () => Promise<Finding> | Finding): Promise<boolean> => {
        const [state, text] = await Promise.resolve()
          .then(work)
          .catch((error: unknown): Finding => ['FAIL', messageOf(error)])
        terminal.out(`${state.padEnd(5)}${name}: ${text}`)
        failed ||= state === 'FAIL'
        return state !== 'FAIL'
      }
      await check('node', nodeVersion)
      let settings: Config | undefined
      await check('configuration', () => {
        settings = config()
        return ['ok', 'is valid']
      })
      if (settings) {
        const current = settings
        const file = databaseFileOf(current.databaseUrl, current.dataDir)
        await check('data folder', () => privacy(current.dataDir, 'made on first start'))
        for (const path of [file, `${file}-wal`, current.masterKeyFile]) {
          await check(path, () => privacy(path, 'not there'))
        }
        const usable = await check('database', () => databaseState(current, file))
        if (withServers && usable) {
          await withServices(async ({ servers }) => {
            for (const server of await servers.list()) {
              await check(`server ${server.alias}`, async () => {
                const probe = await probeServer(await drivers(), server, undefined, () => {})
                const text = probe.phases.map(({ name, detail }) => `${name} ${detail}`).join('; ')
                return [probe.ok ? (server.trust.kind === 'first-use' ? 'warn' : 'ok') : 'FAIL', text]
              })
            }
          })
        }
      }
      if (failed) throw new CommandFailed('Not everything is in order.')
    })
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [leastMajor, leastMinor] = LEAST_NODE
  const text = `version ${process.versions.node}`
  if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
    return ['FAIL', `${text} is too old: ${LEAST_NODE.join('.')} is the least`]
  }
  if (major === 20) return ['warn', `${text} gets no security fixes since April 2026: take a newer one`]
  return ['ok', text]
}

async function privacy(path: string, absent: string): Promise<Finding> {
  try {
    const { mode } = await stat(path)
    const octal = (mode & 0o777).toString(8)
    if ((mode & 0o077) === 0) return ['ok', `private (${octal})`]
    return ['warn', `others may read it (${octal}): run "chmod go= ${path}"`]
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ['ok', absent]
    return ['FAIL', `cannot be looked at (${codeOf(error)})`]
  }
}

/** Opens what is there and makes nothing. */
async function databaseState(config: Config, file: string): Promise<Finding> {
  const there = await stat(file).then(
    () => true,
    () => false,
  )
  if (!there) return ['ok', 'made on first start']
  const database = await openDatabase({
    dataDir: config.dataDir,
    url: config.databaseUrl,
    create: false,
    migrate: false,
  })
  try {
    await openSecrets(database, config, () => {}, { create: false })
    return ['ok', 'sound, up to date, and the master key fits']
  } finally {
    await database.close()
  }
}
