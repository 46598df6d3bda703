import { z } from 'zod'
import { assertMark, refuseIf, reservedUid, virtualNameProblem } from '../account-names.js'
import { oneKey } from '../authorized-keys.js'
import { assertHome } from '../home-paths.js'
import { localMachine } from '../local-machine.js'
import type { Machine, RunOptions, RunResult } from '../machine.js'
import type { ProvisionerOptions } from '../open-provisioner.js'
import { openMachine } from '../open-tools.js'
import { ProvisionError, type ProvisionErrorCode } from '../provision-error.js'
import { absolutePath, type SettingsOf } from '../provisioner-settings.js'
import type { AccountSecret, ObservedAccount, Provisioner, ProvisionerCall } from '../provisioner.js'
import { failure } from '../tools.js'
import { passwordOf } from '../virtual-accounts.js'

/** What `read` prints: a list of these, as JSON. */
const accountShape = z.object({
  name: z.string().min(1).max(255),
  state: z.enum(['enabled', 'disabled']),
  home: z.string().max(1024).optional(),
  homeReady: z.boolean().optional(),
  mark: z.string().max(64).optional(),
  uid: z.int().min(0).optional(),
})

/** Exit codes that mean something; every other but 0 is a failure, told with what the command wrote to its errors. */
const MEANING: Readonly<Record<number, ProvisionErrorCode>> = {
  3: 'NAME_TAKEN',
  4: 'NO_ACCOUNT',
  5: 'DENIED',
  126: 'DENIED',
  127: 'TOOL_MISSING',
}

type Values = Partial<Record<'name' | 'home' | 'mark' | 'keep', string>>

/**
 * Commands that the admin wrote, on the server over SSH or from one folder on the gateway. `{name}` and the like are replaced
 * inside one argument and never read by a shell. A password, or public keys one a line, comes on standard input.
 */
export async function openCommandProvisioner(
  settings: SettingsOf<'command'>,
  options: ProvisionerOptions,
): Promise<Provisioner> {
  const { commands } = settings
  const machine = await machineOf(settings, options)
  const base = settings.homeBase
  const defaultHome = (name: string) => `${base}/${name}`

  const run = async (command: readonly string[], values: Values, call: RunOptions): Promise<string> => {
    const argv = command.map((argument) => filled(argument, values))
    return judged(argv, await machine.run(argv, call), call)
  }
  const read = async (call: ProvisionerCall): Promise<ObservedAccount[]> => {
    const result = z.array(accountShape).safeParse(parsed(await run(commands.read, {}, call)))
    if (!result.success) throw new ProvisionError('PROTOCOL', 'The command that reads prints no list of accounts.')
    return result.data.map(({ uid, home, homeReady, ...account }) => ({
      ...account,
      home,
      homeReady,
      reserved: virtualNameProblem(account.name) ?? (uid === undefined ? undefined : reservedUid(uid)),
    }))
  }
  /** The server's own answer decides, before anything is changed. */
  const find = async (name: string, call: ProvisionerCall): Promise<ObservedAccount | undefined> => {
    refuseIf(virtualNameProblem(name))
    const account = (await read(call)).find((one) => one.name === name)
    refuseIf(account?.reserved)
    return account
  }
  const mustFind = async (name: string, call: ProvisionerCall): Promise<void> => {
    if ((await find(name, call)) === undefined) {
      throw new ProvisionError('NO_ACCOUNT', `There is no account ${name}.`)
    }
  }
  const { makeHome, create, setSecret, setHome, enable, disable, archiveHome, remove } = commands

  return {
    kind: 'command',
    secrets: settings.secrets,
    nameProblem: virtualNameProblem,
    defaultHome,
    read,

    async makeHome(name, home, call) {
      refuseIf(virtualNameProblem(name))
      assertHome(base, home)
      await find(name, call)
      if (makeHome) await run(makeHome, { name, home }, call)
    },

    ...(create && {
      async create({ name, home = defaultHome(name), secret, mark }, call) {
        refuseIf(virtualNameProblem(name))
        assertMark(mark)
        assertHome(base, home)
        const there = await find(name, call)
        if (there !== undefined && (mark === undefined || there.mark !== mark)) {
          throw new ProvisionError('NAME_TAKEN', `There is an account ${name} that the gateway did not make.`)
        }
        await run(create, { name, home, mark: mark ?? '' }, { ...call, ...onInput(settings, secret) })
      },
    }),
    ...(setSecret && {
      async setSecret(name, secret, { keep, ...call }) {
        await mustFind(name, call)
        const values = { name, keep: keep === undefined ? '' : keep.kind }
        await run(setSecret, values, { ...call, ...onInput(settings, secret, keep) })
      },
    }),
    ...(setHome && {
      async setHome(name, home, call) {
        assertHome(base, home)
        await mustFind(name, call)
        await run(setHome, { name, home }, call)
      },
    }),
    ...(enable && {
      async enable(name, call) {
        await mustFind(name, call)
        await run(enable, { name }, call)
      },
    }),
    ...(disable && {
      async disable(name, call) {
        await mustFind(name, call)
        await run(disable, { name }, call)
      },
    }),
    ...(archiveHome && {
      async archiveHome(name, home, call) {
        assertHome(base, home)
        await find(name, call)
        const archive = (await run(archiveHome, { name, home }, call)).trim()
        if (archive === '') return undefined
        if (absolutePath.safeParse(archive).success) return archive
        throw new ProvisionError('PROTOCOL', 'The command that archives homes prints no path.')
      },
    }),
    ...(remove && {
      async remove(name, call) {
        if ((await find(name, call)) !== undefined) await run(remove, { name }, call)
      },
    }),

    close: () => machine.close(),
  } satisfies Provisioner
}

async function machineOf(settings: SettingsOf<'command'>, options: ProvisionerOptions): Promise<Machine> {
  if (settings.where === 'ssh') return (await openMachine(settings.ssh, options)).machine
  if (options.commandsFolder === undefined) {
    throw new ProvisionError('UNSUPPORTED', 'The gateway’s configuration names no folder for commands.')
  }
  return localMachine(options.commandsFolder, options.deadline)
}

/** A password and its line end; or public keys, the new one first. */
function onInput({ secrets }: SettingsOf<'command'>, secret: AccountSecret, keep?: AccountSecret): RunOptions {
  if (!secrets.includes(secret.kind)) {
    throw new ProvisionError('UNSUPPORTED', `These commands take no ${secret.kind}.`)
  }
  if (secret.kind === 'password') {
    const password = passwordOf(secret)
    return { input: `${password}\n`, secrets: [password] }
  }
  const kept = keep?.kind === 'key' ? [keep.publicKey] : []
  return { input: [secret.publicKey, ...kept].map((key) => `${oneKey(key)}\n`).join('') }
}

/** In one pass: what a value holds is not replaced again. */
function filled(argument: string, values: Values): string {
  return argument.replace(/\{(name|home|mark|keep)\}/g, (whole, key: keyof Values) => values[key] ?? whole)
}

function judged(argv: readonly string[], result: RunResult, call: RunOptions): string {
  if (result.code === 0) return result.stdout
  throw failure(argv, result, call, MEANING[result.code])
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    // The schema says what is wrong with it.
    return undefined
  }
}
