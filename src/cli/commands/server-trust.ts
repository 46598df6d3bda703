import { Command } from 'commander'
import { ConflictError } from '../../errors.js'
import { endpointOf } from '../../servers/server-row.js'
import { serverNamed, type CommandContext } from '../context.js'
import { CommandFailed } from '../failure.js'
import { cliActor } from '../services.js'

interface Options {
  fingerprint?: string[]
  accept?: true
}

export function serverTrustCommand({ terminal, drivers, withServices }: CommandContext): Command {
  return new Command('trust')
    .argument('<alias>')
    .description('show what the server identifies itself with, or record whom to trust')
    .option('--fingerprint <fingerprint...>', 'trust these host keys or certificates (SHA256:…)')
    .option('--accept', 'trust what the server shows now')
    .action(async (alias: string, { fingerprint, accept }: Options) => {
      await withServices(async (services) => {
        const server = await serverNamed(services, alias)
        if (server.protocol === 'ftp') throw new ConflictError('Plain ftp shows nothing that could be trusted.')
        if (fingerprint) {
          await services.servers.setTrust(server.id, { fingerprint }, cliActor())
          terminal.err(`${server.alias} is trusted by ${fingerprint.join(', ')}.`)
          return
        }
        const endpoint = endpointOf(server)
        const shown = await (await drivers()).driverFor(server.protocol).fingerprint(endpoint)
        if (shown === undefined) throw new CommandFailed('The server shows no fingerprint.')
        terminal.out(shown)
        if (!accept) {
          terminal.err(`Compare it with the server's own, then: ftpcluster server trust ${server.alias} --accept`)
          return
        }
        await services.servers.setTrust(server.id, { fingerprint: shown }, cliActor())
        terminal.err(`${server.alias} is trusted by it.`)
      })
    })
}
