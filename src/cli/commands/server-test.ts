import { Command } from 'commander'
import { testLogin } from '../../permissions/test-login.js'
import { probeServer } from '../../servers/probe-server.js'
import type { Server } from '../../servers/server.js'
import type { Login } from '../../storage/driver.js'
import { permissionOf, serverNamed, type CommandContext } from '../context.js'
import { CommandFailed } from '../failure.js'
import { cliActor, type Services } from '../services.js'

export function serverTestCommand({ terminal, drivers, withServices }: CommandContext): Command {
  return new Command('test')
    .argument('<alias>')
    .description('connect, check trust, log in and list, and say how long each took')
    .option('--user <username>', 'log in as this user does; default: the admin login, else any permission')
    .action(async (alias: string, { user }: { user?: string }) => {
      await withServices(async (services) => {
        const server = await serverNamed(services, alias)
        const login = await loginFor(services, server, user)
        const probe = await probeServer(await drivers(), server, login, ({ name, ok, took, detail }) => {
          terminal.out(`${name.padEnd(8)}${ok ? 'ok    ' : 'FAILED'} ${took.toFixed(0).padStart(6)} ms  ${detail}`)
        })
        if (!probe.ok) throw new CommandFailed(`The test of ${server.alias} failed.`)
        if (!login)
          terminal.err('No login was tried: there is neither an admin login nor a permission with credentials.')
        if (server.trust.kind !== 'first-use') return
        if (!probe.loggedIn || probe.fingerprint === undefined) {
          throw new CommandFailed(
            `Nothing was recorded. Look at the fingerprint: ftpcluster server trust ${server.alias}`,
          )
        }
        if (await services.servers.pinFirstUse(server.id, probe.fingerprint, cliActor())) {
          terminal.err(`Recorded ${probe.fingerprint} as the one to trust.`)
        }
      })
    })
}

async function loginFor(services: Services, server: Server, username: string | undefined): Promise<Login | undefined> {
  if (username !== undefined)
    return services.permissions.login((await permissionOf(services, username, server.alias)).id)
  return testLogin(services, server)
}
