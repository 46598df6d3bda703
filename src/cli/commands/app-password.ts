import { Command } from 'commander'
import { ValidationError } from '../../errors.js'
import { serverNamed, userNamed, type CommandContext } from '../context.js'
import { withoutUndefined } from '../option-values.js'
import { cliActor, type Services } from '../services.js'
import { table } from '../terminal.js'

interface AddOptions {
  server?: string[]
  readOnly?: true
  expiresAt?: string
}

/** Below `ftpcluster user`. */
export function appPasswordCommand({ terminal, withServices }: CommandContext): Command {
  const command = new Command('app-password').description('Passwords for the drives and scripts of a user')

  command
    .command('add <username> <name>')
    .description('make one and print it, once; <name> says what it is for')
    .option('--server <alias...>', 'only for these servers; default: all')
    .option('--read-only', 'it may not change anything')
    .option('--expires-at <date>', 'last day, e.g. 2027-01-31')
    .action(async (username: string, name: string, options: AddOptions) => {
      await withServices(async (services) => {
        const user = await userNamed(services, username)
        const servers = await serverIds(services, options.server)
        const { readOnly, expiresAt } = options
        const input = { name, ...withoutUndefined({ servers, readOnly, expiresAt }) }
        const { appPassword, secret } = await services.appPasswords.create(user.id, input, cliActor())
        terminal.out(secret)
        terminal.err(`This is app password ${appPassword.id} of ${username}. It cannot be shown again.`)
      })
    })

  command
    .command('list <username>')
    .description('show them, without their secrets')
    .option('--json', 'as JSON')
    .action(async (username: string, { json }: { json?: true }) => {
      await withServices(async (services) => {
        const user = await userNamed(services, username)
        const all = await services.appPasswords.list(user.id)
        if (json) return terminal.out(JSON.stringify(all, null, 2))
        const aliases = new Map((await services.servers.list()).map(({ id, alias }) => [id, alias]))
        const rows = all.map((one) => [
          String(one.id),
          one.name,
          one.servers?.map((id) => aliases.get(id) ?? `(${id})`).join(', ') ?? 'all',
          one.readOnly ? 'read-only' : 'read-write',
          one.expiresAt?.toISOString() ?? '-',
          one.lastUsedAt ? `${one.lastUsedAt.toISOString()} from ${one.lastUsedAddress}` : 'never',
        ])
        for (const line of table(['ID', 'NAME', 'SERVERS', 'ACCESS', 'ENDS', 'LAST USED'], rows)) terminal.out(line)
      })
    })

  command
    .command('revoke <username> <id>')
    .description('end one and everything that is open with it')
    .action(async (username: string, id: string) => {
      if (!/^[1-9]\d{0,14}$/.test(id)) {
        throw new ValidationError([{ field: 'id', message: 'must be a number; "list" shows it' }])
      }
      await withServices(async (services) => {
        const user = await userNamed(services, username)
        await services.appPasswords.revoke(user.id, Number(id), cliActor())
        terminal.err(`The app password ${id} of ${username} was revoked.`)
      })
    })

  return command
}

async function serverIds(services: Services, aliases: readonly string[] | undefined): Promise<number[] | undefined> {
  if (aliases === undefined) return undefined
  return Promise.all(aliases.map(async (alias) => (await serverNamed(services, alias)).id))
}
