import { Command } from 'commander'
import { ValidationError } from '../../errors.js'
import type { Credentials } from '../../permissions/permission-input.js'
import { permissionOf, serverNamed, userNamed, type CommandContext } from '../context.js'
import { withoutUndefined } from '../option-values.js'
import { readSecret, readSecretFile, withSecretOptions, type SecretSource } from '../read-secret.js'
import { cliActor } from '../services.js'
import { table, type Terminal } from '../terminal.js'

interface Options extends SecretSource {
  remoteUser?: string
  access?: 'read-write' | 'read-only'
  root?: string
  endsAt?: string
  selfService?: boolean
  managed?: boolean
  home?: string
  privateKeyFile?: string
  passphraseEnv?: string
  passphraseFile?: string
  password?: boolean
}

export function permissionCommand({ terminal, withServices }: CommandContext): Command {
  const command = new Command('permission').description('Which user reaches which server, and as whom')

  withFieldOptions(command.command('add <username> <alias>').description('give a user a folder for a server'))
    .option('--no-password', 'store no credentials yet')
    .action(async (username: string, alias: string, options: Options) => {
      await withServices(async (services) => {
        const user = await userNamed(services, username)
        const server = await serverNamed(services, alias)
        const credentials =
          options.password === false || options.managed === true
            ? {}
            : await readCredentials(terminal, options, options.remoteUser ?? username)
        const input = { userId: user.id, serverId: server.id, ...fieldsOf(options), credentials }
        await services.permissions.grant(input, cliActor())
        terminal.err(`${username} has a permission on ${server.alias}.`)
      })
    })

  command
    .command('list')
    .description('show permissions')
    .option('--user <username>', 'of this user')
    .option('--server <alias>', 'on this server')
    .option('--json', 'as JSON')
    .action(async (options: { user?: string; server?: string; json?: true }) => {
      await withServices(async (services) => {
        const filter = {
          ...(options.user !== undefined && { userId: (await userNamed(services, options.user)).id }),
          ...(options.server !== undefined && { serverId: (await serverNamed(services, options.server)).id }),
        }
        const all = await services.permissions.list(filter)
        if (options.json) return terminal.out(JSON.stringify(all, null, 2))
        const rows = all.map((permission) => [
          permission.username,
          permission.alias,
          permission.remoteUser,
          permission.credentials,
          permission.access,
          permission.root ?? '-',
          permission.endsAt?.toISOString() ?? '-',
        ])
        const head = ['USER', 'SERVER', 'REMOTE USER', 'CREDENTIALS', 'ACCESS', 'ROOT', 'ENDS']
        for (const line of table(head, rows)) terminal.out(line)
      })
    })

  withFieldOptions(command.command('set <username> <alias>').description('change a permission; what is not said stays'))
    .option('--password', 'ask for a new password')
    .action(async (username: string, alias: string, options: Options) => {
      await withServices(async (services) => {
        const permission = await permissionOf(services, username, alias)
        const fields = fieldsOf(options)
        const newCredentials = options.password === true || SECRET_OPTIONS.some((name) => options[name] !== undefined)
        if (Object.keys(fields).length === 0 && !newCredentials) {
          throw new ValidationError([{ field: 'options', message: 'say what to change; see --help' }])
        }
        const remoteUser = options.remoteUser ?? permission.remoteUser
        const credentials = newCredentials ? await readCredentials(terminal, options, remoteUser) : undefined
        await services.database.change(async (transaction) => {
          await services.permissions.update(permission.id, fields, cliActor(), transaction)
          if (credentials)
            await services.permissions.setCredentials(permission.id, credentials, cliActor(), transaction)
        })
        terminal.err(`The permission of ${username} on ${permission.alias} was changed.`)
      })
    })

  command
    .command('remove <username> <alias>')
    .description('take the folder away; the files stay')
    .action(async (username: string, alias: string) => {
      await withServices(async (services) => {
        const permission = await permissionOf(services, username, alias)
        await services.permissions.revoke(permission.id, cliActor())
        terminal.err(`${username} has no permission on ${permission.alias} any more.`)
      })
    })

  return command
}

const SECRET_OPTIONS = ['passwordEnv', 'passwordFile', 'privateKeyFile', 'passphraseEnv', 'passphraseFile'] as const

function withFieldOptions(command: Command): Command {
  return withSecretOptions(command, 'the password on the server')
    .option('--remote-user <name>', 'login on the server; default: the username')
    .option('--access <access>', 'read-write or read-only')
    .option('--root <folder>', 'start folder; relative to where the login lands')
    .option('--ends-at <date>', 'last day, e.g. 2027-01-31')
    .option('--self-service', 'the user may enter the own password of the server')
    .option('--no-self-service', 'an administrator keeps the password of the server (default)')
    .option('--managed', 'the account on the server follows this permission; see "ftpcluster sync"')
    .option('--no-managed', 'the account on the server is kept by others (default)')
    .option('--home <folder>', 'home of a managed account; default: where the server puts homes')
    .option('--private-key-file <path>', 'sftp: log in with this key instead of a password')
    .option('--passphrase-env <name>', 'take the passphrase of the key from this environment variable')
    .option('--passphrase-file <path>', 'take the passphrase of the key from this file')
}

function fieldsOf({ remoteUser, access, root, endsAt, selfService, managed, home }: Options) {
  return withoutUndefined({ remoteUser, access, root, endsAt, selfService, managed, home })
}

async function readCredentials(terminal: Terminal, options: Options, remoteUser: string): Promise<Credentials> {
  if (options.privateKeyFile === undefined) {
    return { password: await readSecret(terminal, options, `Password of ${remoteUser} on the server`) }
  }
  if (options.passwordEnv !== undefined || options.passwordFile !== undefined) {
    throw new ValidationError([{ field: 'privateKey', message: 'must not be given together with a password' }])
  }
  const privateKey = await readSecretFile(options.privateKeyFile, 'privateKey')
  const source = withoutUndefined({ passwordEnv: options.passphraseEnv, passwordFile: options.passphraseFile })
  if (Object.keys(source).length === 0) return { privateKey }
  return { privateKey, passphrase: await readSecret(terminal, source, 'Passphrase', { field: 'passphrase' }) }
}
