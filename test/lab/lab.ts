/**
 * Real FTP, FTPS and SFTP servers for tests, on free ports of 127.0.0.1, with accounts and folders of their own:
 *
 * ```ts
 * let lab: Lab
 * before(async function () { lab = await labFor(this, { daemons: ['proftpd', 'sshd'] }) })
 * after(() => lab?.stop())
 * ```
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { accountFiles, hashPasswords, makeKeys } from './accounts.js'
import { makeCertificate, makeHostKey } from './certificates.js'
import { startDaemon, type LabDaemon } from './daemon.js'
import type { DaemonKind } from './daemons/recipe.js'
import { makeMachine, type LabMachine } from './machine.js'
import { environmentOf, labObstacle, mustHaveAll, unpackedRoot } from './packages.js'
import { INNER_ROOT, startWorld } from './world.js'

export { localPath } from './accounts.js'
export type { AccountName, LabAccount } from './accounts.js'
export type { LabDaemon } from './daemon.js'
export type { LabMachine } from './machine.js'
export type { DaemonKind } from './daemons/recipe.js'

export const ALL_DAEMONS: readonly DaemonKind[] = [
  'proftpd',
  'proftpd-ftps',
  'proftpd-ftps-implicit',
  'vsftpd',
  'pure-ftpd',
  'sshd',
]

export interface LabOptions {
  /** Kinds, or kinds with extra configuration, e.g. `{ kind: 'proftpd', settings: ['AllowOverwrite off'] }`. */
  readonly daemons: readonly (DaemonKind | { readonly kind: DaemonKind; readonly settings: readonly string[] })[]
  /** Gives every daemon an account `small` whose home is a file system of this many bytes. */
  readonly smallDisk?: number
  /**
   * All daemons are one machine, with one `/etc` of their own whose accounts can be changed, with sudo, and with two logins
   * for whoever manages them. The usual accounts are not there.
   */
  readonly machine?: boolean
}

export interface Lab {
  /** In the order of `LabOptions.daemons`. */
  readonly daemons: readonly LabDaemon[]
  /** The first daemon of that kind. */
  daemon(kind: DaemonKind): LabDaemon
  /** The machine of a lab that was started with one. */
  readonly machine: LabMachine
  /** A folder of this lab for whatever a test needs; it goes with the lab. */
  readonly scratch: string
  /** Ends every process, unmounts and removes everything. */
  stop(): Promise<void>
}

/** Fetches the daemons when they are missing (needs network once) and starts those asked for, all at once. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const obstacle = await labObstacle()
  if (obstacle !== undefined) throw new Error(`The lab cannot run on this machine: ${obstacle}.`)
  const root = await unpackedRoot()
  const env = await environmentOf(root)
  const world = await startWorld(root)
  try {
    const [keyFolder, scratch] = [path.join(world.folder, 'keys'), path.join(world.folder, 'scratch')]
    await mkdir(scratch)
    const [hashes, tls, hostKey, keys] = await Promise.all([
      hashPasswords(env),
      makeCertificate(world.folder, env),
      makeHostKey(world.folder, env),
      makeKeys(keyFolder, env),
    ])
    // Daemons run as other users too, for whom the repository may lie out of reach.
    const inner = await environmentOf(root, INNER_ROOT)
    const machine = options.machine === true ? await makeMachine(world.folder, keys.carol, keyFolder, inner) : undefined
    const secrets = {
      env: inner,
      files: (homes: string) => accountFiles(homes, hashes),
      tls,
      hostKey,
      keys,
      keyFolder,
      machine,
    }
    const daemons = await Promise.all(
      options.daemons.map((wanted, i) => {
        const { kind, settings } = typeof wanted === 'string' ? { kind: wanted, settings: [] } : wanted
        return startDaemon(world, secrets, { kind, settings, name: `${i}-${kind}`, smallDisk: options.smallDisk })
      }),
    )
    return {
      daemons,
      daemon(kind) {
        const found = daemons.find((daemon) => daemon.kind === kind)
        if (found === undefined) throw new Error(`This lab was started without ${kind}.`)
        return found
      },
      get machine() {
        if (machine === undefined) throw new Error('This lab was started without a machine.')
        return machine
      },
      scratch,
      stop: () => world.stop(),
    }
  } catch (error) {
    await world.stop()
    throw error
  }
}

/**
 * `startLab` for a `before` hook: where the lab cannot be had, the tests of that block are skipped and the reason is
 * printed. With `CI` set it fails instead. Allows the first run the time to fetch the packages.
 */
export async function labFor(context: Mocha.Context, options: LabOptions): Promise<Lab> {
  context.timeout(600_000)
  const obstacle = (await labObstacle()) ?? (await fetchObstacle())
  if (obstacle !== undefined && !mustHaveAll()) {
    console.warn(`Skipped, no real servers to test against: ${obstacle}.`)
    context.skip()
  }
  return startLab(options)
}

async function fetchObstacle(): Promise<string | undefined> {
  try {
    await unpackedRoot()
    return undefined
  } catch (error) {
    return `their packages cannot be fetched (${error instanceof Error ? error.message.trim() : String(error)})`
  }
}
