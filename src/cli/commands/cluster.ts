import { Command } from 'commander'
import { applyCluster, type AppliedChange } from '../apply-cluster.js'
import { readClusterFile } from '../cluster-file.js'
import type { CommandContext } from '../context.js'
import { exportCluster } from '../export-cluster.js'
import { cliActor } from '../services.js'

export function applyCommand({ terminal, withServices, withServicesToLook }: CommandContext): Command {
  return new Command('apply')
    .argument('<file>', 'cluster file (YAML)')
    .description('create or update servers, users and permissions to match a file; what it does not name stays')
    .option('--dry-run', 'only print what would change')
    .action(async (file: string, { dryRun = false }: { dryRun?: boolean }) => {
      const cluster = readClusterFile(file, terminal.env)
      const open = dryRun ? withServicesToLook : withServices
      await open(async (services) => {
        const changes = await applyCluster(services, cluster, cliActor(), { dryRun })
        for (const change of changes) terminal.out(lineOf(change))
        if (changes.length === 0) terminal.err('Nothing to change.')
        if (dryRun && changes.length > 0) terminal.err('This was a dry run: nothing was changed.')
        if (dryRun) return
        const named = new Set(cluster.servers.map(({ alias }) => alias.toLowerCase()))
        for (const { alias, trust } of await services.servers.list()) {
          if (trust.kind !== 'first-use' || !named.has(alias.toLowerCase())) continue
          terminal.err(`${alias} is not used before its first test: ftpcluster server test ${JSON.stringify(alias)}`)
        }
      })
    })
}

function lineOf({ made, what, fields }: AppliedChange): string {
  return made ? `+ ${what}` : `~ ${what}: ${fields.join(', ')}`
}

export function exportCommand({ terminal, withServices }: CommandContext): Command {
  return new Command('export')
    .description('print servers, users and permissions as a cluster file')
    .option('--with-secrets', 'with the passwords and keys of the servers in clear, and password hashes of users')
    .action(async ({ withSecrets = false }: { withSecrets?: boolean }) => {
      await withServices(async (services) => {
        terminal.out((await exportCluster(services, { secrets: withSecrets })).trimEnd())
        if (withSecrets) terminal.err('This holds secrets in clear: keep it where only you can read it.')
      })
    })
}
