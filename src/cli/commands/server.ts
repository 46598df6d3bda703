import { Command } from 'commander'
import { ValidationError } from '../../errors.js'
import type { NewServer } from '../../servers/server-input.js'
import { PROTOCOLS } from '../../servers/server-input.js'
import type { Server, ServerTrust } from '../../servers/server.js'
import { serverNamed, type CommandContext } from '../context.js'
import { numberOption, withoutUndefined } from '../option-values.js'
import { readSecret, withSecretOptions } from '../read-secret.js'
import { cliActor } from '../services.js'
import { table } from '../terminal.js'
import { serverTestCommand } from './server-test.js'
import { serverTrustCommand } from './server-trust.js'

interface AddOptions {
  protocol: NewServer['protocol']
  host: string
  port?: number
  fingerprint?: string[]
  publicCa?: true
  firstUse?: true
  adminUser?: string
  adminPasswordEnv?: string
  adminPasswordFile?: string
  maxConnections?: number
  maxConnectionsPerAccount?: number
  encoding?: 'utf8' | 'latin1'
  homes?: 'auto' | 'shared' | 'separate'
  upload?: 'auto' | 'atomic' | 'direct'
}

export function serverCommand(context: CommandContext): Command {
  const { terminal, withServices } = context
  const command = new Command('server').description('FTP, FTPS and SFTP servers behind the gateway')

  const add = command
    .command('add <alias>')
    .description('register a server under the folder name that its users see')
    .requiredOption('--protocol <protocol>', PROTOCOLS.join(', '))
    .requiredOption('--host <host>', 'name or address')
    .option('--port <port>', 'default: the port of the protocol', numberOption)
    .option('--fingerprint <fingerprint...>', 'trust this host key or certificate (SHA256:…)')
    .option('--public-ca', 'ftps: trust a certificate that the public CAs vouch for')
    .option('--first-use', 'trust what the server shows at the first successful "server test"')
    .option('--admin-user <name>', 'login that manages accounts on the server')
    .option('--max-connections <n>', 'connections to the server, all users together', numberOption)
    .option('--max-connections-per-account <n>', 'connections of one login', numberOption)
    .option('--encoding <encoding>', 'of names on an ftp server: utf8, latin1')
    .option('--homes <kind>', 'whether logins see one tree or each its own: auto, shared, separate')
    .option('--upload <mode>', 'how uploads replace files: auto, atomic, direct')
  withSecretOptions(add, 'the password of --admin-user', 'admin-').action(
    async (alias: string, options: AddOptions) => {
      await withServices(async ({ servers }) => {
        const input = { ...newServer(alias, options), ...(await adminPassword(options)) }
        const server = await servers.create(input, cliActor())
        terminal.err(`The server ${server.alias} was registered.`)
        if (server.trust.kind === 'first-use') {
          terminal.err(`It is not used before its first test: ftpcluster server test ${server.alias}`)
        }
      })
    },
  )

  async function adminPassword(options: AddOptions): Promise<{ adminPassword?: string }> {
    const { adminUser, adminPasswordEnv, adminPasswordFile } = options
    if (adminUser === undefined) {
      if (adminPasswordEnv === undefined && adminPasswordFile === undefined) return {}
      throw new ValidationError([{ field: 'adminUser', message: 'is required with a password: give --admin-user' }])
    }
    const source = withoutUndefined({ passwordEnv: adminPasswordEnv, passwordFile: adminPasswordFile })
    const field = 'adminPassword'
    return { adminPassword: await readSecret(terminal, source, `Password of ${adminUser} on the server`, { field }) }
  }

  command
    .command('list')
    .description('show all servers')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: true }) => {
      await withServices(async ({ servers }) => {
        const all = await servers.list()
        if (json) return terminal.out(JSON.stringify(all, null, 2))
        const rows = all.map((server) => [
          server.alias,
          server.protocol,
          `${server.host}:${server.port}`,
          trustText(server.trust),
          server.enabled ? 'enabled' : 'disabled',
        ])
        for (const line of table(['ALIAS', 'PROTOCOL', 'ADDRESS', 'TRUST', 'STATE'], rows)) terminal.out(line)
      })
    })

  command
    .command('show <alias>')
    .description('show one server')
    .option('--json', 'as JSON')
    .action(async (alias: string, { json }: { json?: true }) => {
      await withServices(async (services) => {
        const server = await serverNamed(services, alias)
        if (json) return terminal.out(JSON.stringify(server, null, 2))
        for (const line of table(['FIELD', 'VALUE'], description(server))) terminal.out(line)
      })
    })

  for (const [name, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const) {
    command
      .command(`${name} <alias>`)
      .description(enabled ? 'use a disabled server again' : 'take a server out of every tree, and keep the rest')
      .action(async (alias: string) => {
        await withServices(async (services) => {
          const server = await serverNamed(services, alias)
          await services.servers.setEnabled(server.id, enabled, cliActor())
          terminal.err(`The server ${server.alias} is ${name}d.`)
        })
      })
  }

  command
    .command('remove <alias>')
    .description('remove a server and all permissions on it; its files stay')
    .action(async (alias: string) => {
      await withServices(async (services) => {
        const server = await serverNamed(services, alias)
        await services.servers.remove(server.id, cliActor())
        terminal.err(`The server ${server.alias} was removed.`)
      })
    })

  return command.addCommand(serverTestCommand(context)).addCommand(serverTrustCommand(context))
}

function newServer(alias: string, options: AddOptions): NewServer {
  const { fingerprint, publicCa, firstUse, maxConnections, maxConnectionsPerAccount } = options
  const trust = withoutUndefined({ fingerprint, publicCa, firstUse })
  const limits = withoutUndefined({ maxConnections, maxConnectionsPerAccount })
  const { protocol, host, port, adminUser, encoding, homes, upload } = options
  return {
    alias,
    protocol,
    host,
    ...(Object.keys(trust).length > 0 && { trust }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...withoutUndefined({ port, adminUser, encoding, homes, upload }),
  }
}

function trustText(trust: ServerTrust): string {
  switch (trust.kind) {
    case 'none':
      return 'plain'
    case 'public-ca':
      return 'public CA'
    case 'first-use':
      return 'waits for its first test'
    case 'pinned':
      return trust.fingerprints.join(', ')
  }
}

function limitText(limit: number | undefined): string {
  return limit === undefined ? 'as configured' : String(limit)
}

function description(server: Server): string[][] {
  return [
    ['alias', server.alias],
    ['protocol', server.protocol],
    ['host', server.host],
    ['port', String(server.port)],
    ['state', server.enabled ? 'enabled' : 'disabled'],
    ['trust', trustText(server.trust)],
    ['admin user', server.adminUser ?? '-'],
    ['admin password', server.hasAdminPassword ? 'stored' : '-'],
    ['connections', limitText(server.limits.maxConnections)],
    ['connections per account', limitText(server.limits.maxConnectionsPerAccount)],
    ['encoding', server.encoding],
    ['homes', server.homes],
    ['upload', server.upload],
  ]
}
