import { Command, Option } from 'commander'
import { ROLES, type Role } from '../../users/user-input.js'
import { userNamed, type CommandContext } from '../context.js'
import { readSecret, withSecretOptions, type SecretSource } from '../read-secret.js'
import { cliActor } from '../services.js'
import { table } from '../terminal.js'
import { appPasswordCommand } from './app-password.js'

export function userCommand(context: CommandContext): Command {
  const { terminal, withServices } = context
  const command = new Command('user').description('People who log in to the gateway')

  withSecretOptions(command.command('add <username>').description('make a user'), 'the password')
    .addOption(new Option('--role <role>', 'what the user may do').choices(ROLES).default('user'))
    .action(async (username: string, options: SecretSource & { role: Role }) => {
      await withServices(async ({ users }) => {
        const password = await readSecret(terminal, options, `Password of ${username}`, { again: true })
        await users.create({ username, password, role: options.role }, cliActor())
        terminal.err(`The user ${username} was made.`)
      })
    })

  command
    .command('list')
    .description('show all users')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: true }) => {
      await withServices(async ({ users }) => {
        const all = await users.list()
        if (json) return terminal.out(JSON.stringify(all, null, 2))
        const rows = all.map((user) => [user.username, user.role, user.disabled ? 'disabled' : 'active'])
        for (const line of table(['USER', 'ROLE', 'STATE'], rows)) terminal.out(line)
      })
    })

  withSecretOptions(command.command('passwd <username>').description('set a new password'), 'the new password').action(
    async (username: string, options: SecretSource) => {
      await withServices(async (services) => {
        const user = await userNamed(services, username)
        const password = await readSecret(terminal, options, `New password of ${username}`, { again: true })
        await services.users.setPassword(user.id, password, cliActor())
        terminal.err(`The password of ${username} was changed.`)
      })
    },
  )

  for (const [name, disabled] of [
    ['disable', true],
    ['enable', false],
  ] as const) {
    command
      .command(`${name} <username>`)
      .description(disabled ? 'end all access of a user, and keep the rest' : 'let a disabled user in again')
      .action(async (username: string) => {
        await withServices(async (services) => {
          const user = await userNamed(services, username)
          await services.users.setDisabled(user.id, disabled, cliActor())
          terminal.err(`The user ${username} is ${name}d.`)
        })
      })
  }

  command
    .command('reset-second-factor <username>')
    .description('for a user who lost the phone and the recovery codes: the password alone does again')
    .action(async (username: string) => {
      await withServices(async (services) => {
        const user = await userNamed(services, username)
        await services.secondFactor.reset(user.id, cliActor())
        terminal.err(
          user.hasSecondFactor
            ? `The second factor of ${username} was reset.`
            : `${username} has no second factor: nothing was changed.`,
        )
      })
    })

  command.addCommand(appPasswordCommand(context))

  command
    .command('remove <username>')
    .description('remove a user and all permissions of that user; files on the servers stay')
    .action(async (username: string) => {
      await withServices(async (services) => {
        const user = await userNamed(services, username)
        await services.users.remove(user.id, cliActor())
        terminal.err(`The user ${username} was removed.`)
      })
    })

  command
    .command('set-role <username> <role>')
    .description(`make a user an admin or not (${ROLES.join(', ')})`)
    .action(async (username: string, role: Role) => {
      await withServices(async (services) => {
        const user = await userNamed(services, username)
        await services.users.setRole(user.id, role, cliActor())
        terminal.err(`The role of ${username} is ${role}.`)
      })
    })

  return command
}
