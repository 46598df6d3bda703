import { Command } from 'commander'
import { createLogger } from '../../logger.js'
import { removalsIn, type ServerPlan } from '../../sync/plan.js'
import type { Run } from '../../sync/sync-queue.js'
import type { Sync } from '../../sync/sync.js'
import { serverNamed, type CommandContext } from '../context.js'
import { CommandFailed } from '../failure.js'
import { numberOption } from '../option-values.js'
import { cliActor, type Services } from '../services.js'
import { table, type Terminal } from '../terminal.js'

/** There is something to do: for scripts that only ask. */
const DIFFERENT = 3
/** Some steps wait for a server that does not answer. */
const WAITING = 4
/** Milliseconds between two looks at steps that another process does. */
const LOOK = 500

interface Where {
  server?: string
  json?: true
}

/** A service and the one server that was named, where one was. */
type Work = (parts: { sync: Sync; services: Services; serverIds: number[] | undefined }) => Promise<void>

export function syncCommand(context: CommandContext): Command {
  const command = new Command('sync').description('Accounts on the servers that follow permissions')
  const run = (options: Where, work: Work) => withSync(context, options, work)
  const { terminal } = context

  withPlace(command.command('plan').description('read the servers and show what there is to do; changes nothing'))
    .option('--logins', 'try the secret of each account, once')
    .addHelpText(
      'after',
      helpOf(['ftpcluster sync plan --server server2', 'ftpcluster sync plan --logins --json >plan.json'], {
        0: 'everything is in step',
        [DIFFERENT]: 'there is something to do',
        [WAITING]: 'nothing to do, but a server could not be read',
      }),
    )
    .action(async (options: Where & { logins?: true }) => {
      await run(options, async ({ sync, serverIds }) => {
        const plan = await sync.synchroniser.plan(serverIds, cliActor(), { logins: options.logins ?? false })
        showPlan(terminal, plan, options.json)
        if (stepsIn(plan.plan) > 0) throw new CommandFailed('There is something to do.', DIFFERENT)
        failIfUnread(plan)
      })
    })

  withPlace(command.command('apply').description('read the servers, and do what there is to do'))
    .option('--plan <number>', 'what this plan showed, and nothing else', numberOption)
    .option('--yes', 'also when it disables or removes many accounts')
    .addHelpText(
      'after',
      helpOf(['ftpcluster sync apply', 'ftpcluster sync apply --plan 12 --yes'], {
        0: 'all of it is done, or there was nothing to do',
        1: 'some steps failed, or the plan was applied already',
        [WAITING]: 'some steps wait for a server that does not answer, or one could not be read',
      }),
    )
    .action(async (options: Where & { plan?: number; yes?: true }) => {
      await run(options, async ({ sync, serverIds }) => {
        const planned =
          options.plan === undefined
            ? await sync.synchroniser.plan(serverIds, cliActor())
            : await sync.queue.run(options.plan)
        await sync.synchroniser.apply(planned.id, cliActor(), { confirm: options.yes ?? false })
        await finish(sync, planned.id, terminal, options.json)
        failIfUnread(planned)
      })
    })

  withPlace(command.command('status').description('show how far accounts are in step, without asking a server'))
    .addHelpText(
      'after',
      helpOf(['ftpcluster sync status', 'ftpcluster sync status --server server2 --json'], {
        0: 'it is shown, whatever it is; "ftpcluster sync plan" tells by its code',
      }),
    )
    .action(async (options: Where) => {
      await run(options, async ({ sync, serverIds }) => {
        const servers = (await sync.state.servers()).filter(({ serverId }) => serverIds?.includes(serverId) ?? true)
        if (options.json) return terminal.out(JSON.stringify(servers, null, 2))
        const rows = servers.flatMap(({ alias, accounts }) =>
          accounts.map(({ name, state, detail, wanted }) => [alias, name, wanted?.username ?? '-', state, detail]),
        )
        for (const line of table(['SERVER', 'ACCOUNT', 'USER', 'STATE', 'DETAIL'], rows)) terminal.out(line)
        for (const { alias, problem, queued } of servers) {
          if (problem !== undefined) terminal.err(`${alias}: ${problem}`)
          if (queued > 0) terminal.err(`${alias}: ${queued} steps wait`)
        }
      })
    })

  command
    .command('adopt <alias> <account>')
    .description('take over an account that is there already, for the permission that wants its name')
    .addHelpText(
      'after',
      helpOf(['ftpcluster sync adopt server2 user1'], {
        0: 'it is managed from now on; nothing was changed on the server',
        1: 'there is no such account, no permission wants it, it is managed already, or the server could not be read',
      }),
    )
    .action(async (alias: string, account: string) => {
      await run({ server: alias }, async ({ sync, serverIds }) => {
        await sync.decisions.adopt(serverIds?.[0] ?? 0, account, cliActor())
        terminal.err(`${account} on ${alias} is managed now; "ftpcluster sync plan" shows what that means.`)
      })
    })

  withPlace(command.command('rotate').description('give accounts new secrets; nobody who works notices'))
    .option('--account <name>', 'of this account only; needs --server')
    .addHelpText(
      'after',
      helpOf(['ftpcluster sync rotate --server server2', 'ftpcluster sync rotate --server server2 --account user1'], {
        0: 'the new secrets are in use',
        1: 'some steps failed, or no account there has a secret of the gateway',
        [WAITING]: 'some steps wait for a server that does not answer; the old secrets stay in use until then',
      }),
    )
    .action(async (options: Where & { account?: string }) => {
      await run(options, async ({ sync, serverIds }) => {
        const [serverId] = serverIds ?? []
        const filter = { ...(serverId !== undefined && { serverId }), ...(await accountOf(sync, serverId, options)) }
        const started = await sync.decisions.rotate(filter, cliActor())
        if (!started) throw new CommandFailed('None of these accounts has a secret of the gateway.')
        await finish(sync, started.id, terminal, options.json)
      })
    })

  return command
}

/** Examples to copy, and what a script learns from how the command ended. */
function helpOf(examples: readonly string[], codes: Readonly<Record<number, string>>): string {
  const all = { 1: 'it failed', 2: 'the options are wrong', ...codes }
  const lines = Object.entries(all).map(([code, meaning]) => `  ${code}  ${meaning}`)
  return ['', 'Examples:', ...examples.map((line) => `  ${line}`), '', 'Exit codes:', ...lines].join('\n')
}

function withPlace(command: Command): Command {
  return command.option('--server <alias>', 'only on this server').option('--json', 'as JSON')
}

async function withSync(context: CommandContext, { server }: Where, work: Work): Promise<void> {
  const { withServices, drivers, config } = context
  await withServices(async (services) => {
    const serverIds = server === undefined ? undefined : [(await serverNamed(services, server)).id]
    const { Sync } = await import('../../sync/sync.js')
    const sync = new Sync({
      ...services,
      ...config().sync,
      drivers: await drivers(),
      log: createLogger({ level: 'silent' }),
    })
    try {
      await work({ sync, services, serverIds })
    } finally {
      await sync.synchroniser.stop()
    }
  })
}

async function accountOf(sync: Sync, serverId: number | undefined, { account }: { account?: string }) {
  if (account === undefined) return {}
  if (serverId === undefined) throw new CommandFailed('Say on which server: --server', 2)
  const [known] = await sync.accounts.known(serverId, account)
  if (!known) throw new CommandFailed(`The gateway manages no account ${account} there.`)
  return { accountId: known.id }
}

/** Waits until every step was tried, here or in the gateway that runs beside. */
async function finish(sync: Sync, runId: number, terminal: Terminal, json: true | undefined): Promise<void> {
  for (;;) {
    await sync.synchroniser.idle()
    const steps = await sync.queue.steps({ runId })
    const waiting = steps.filter(({ state }) => state === 'queued')
    const untried = waiting.some(({ attempts }) => attempts === 0)
    if (untried) {
      await new Promise((resolve) => setTimeout(resolve, LOOK))
      continue
    }
    if (json) terminal.out(JSON.stringify(steps, null, 2))
    else {
      for (const { state, kind, account, reason } of steps) {
        terminal.out(`${state.padEnd(8)}${kind.padEnd(14)}${account}${reason === undefined ? '' : `: ${reason}`}`)
      }
    }
    if (steps.length === 0) terminal.err('Nothing to do.')
    if (steps.some(({ state }) => state === 'failed')) throw new CommandFailed('Some steps failed.')
    if (waiting.length > 0) throw new CommandFailed('Some steps wait for a server that does not answer.', WAITING)
    return
  }
}

function showPlan(terminal: Terminal, run: Run, json: true | undefined): void {
  if (json) return terminal.out(JSON.stringify({ id: run.id, servers: run.plan }, null, 2))
  for (const { alias, steps, findings, problem } of run.plan) {
    for (const { kind, account, detail } of steps) terminal.out(`${alias}  ${kind.padEnd(14)}${account}: ${detail}`)
    for (const { kind, account, detail } of findings) terminal.out(`${alias}  (${kind})  ${account} ${detail}`)
    if (problem !== undefined) terminal.err(`${alias}: ${problem}`)
  }
  const steps = stepsIn(run.plan)
  if (steps === 0) return terminal.err('Everything is in step.')
  terminal.err(`Plan ${run.id}: ${steps} steps, ${removalsIn(run.plan)} of them take something away.`)
  terminal.err(`To do it: ftpcluster sync apply --plan ${run.id}`)
}

function stepsIn(plan: readonly ServerPlan[]): number {
  return plan.reduce((sum, { steps }) => sum + steps.length, 0)
}

function failIfUnread({ plan }: Run): void {
  const unread = plan.filter(({ problem }) => problem !== undefined).map(({ alias }) => alias)
  if (unread.length > 0) throw new CommandFailed(`Not read: ${unread.join(', ')}.`, WAITING)
}
