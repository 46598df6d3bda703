import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Endpoint, Trust } from '../../src/storage/driver.js'
import {
  hasPassword,
  makeHomes,
  passwordOf,
  PEOPLE,
  type AccountFiles,
  type AccountName,
  type Keys,
  type LabAccount,
} from './accounts.js'
import { proftpd } from './daemons/proftpd.js'
import { pureFtpd } from './daemons/pure-ftpd.js'
import { type DaemonKind, type Recipe, type RecipeInput } from './daemons/recipe.js'
import { sshd } from './daemons/sshd.js'
import { vsftpd } from './daemons/vsftpd.js'
import type { LabMachine } from './machine.js'
import { freePort } from './ports.js'
import { signal } from './processes.js'
import { INNER_ROOT, type World } from './world.js'

export interface LabDaemon {
  readonly kind: DaemonKind
  /** On 127.0.0.1, with the daemon's real fingerprint pinned where it has one. */
  readonly endpoint: Endpoint
  readonly accounts: readonly LabAccount[]
  account(name: AccountName): LabAccount
  /** Remote paths of things in eve's home that she meets a refusal at. */
  readonly forbidden: {
    /** May be neither entered nor listed. */
    readonly folder: string
    /** May be entered but not listed. */
    readonly unlistable: string
    /** May be listed but not written to. */
    readonly readOnly: string
    /** May not be read. */
    readonly file: string
    /** Hers, on a small file system of its own; there with `smallDisk`. */
    readonly full: string
  }
  /** True when every login is locked into its home and sees it as `/`. */
  readonly chrooted: boolean
  /** proftpd's accounts; the same path inside. */
  readonly authUserFile: string
  /** The listening process. */
  readonly pid: number
  /** Processes of the sessions that are open now, all of them, parents first. */
  sessions(): number[]
  /** Kills the listener and every session. */
  stop(): Promise<void>
  /** Starts it again after `stop`, on the same port with the same files. */
  start(): Promise<void>
  restart(): Promise<void>
  /** What the daemon wrote to its output and its own log. */
  log(): Promise<string>
}

/** What all daemons of a lab share. */
export interface LabSecrets {
  readonly env: NodeJS.ProcessEnv
  readonly files: (homes: string) => AccountFiles
  readonly tls: { certFile: string; keyFile: string; fingerprint: string }
  readonly hostKey: { keyFile: string; fingerprint: string }
  readonly keys: Keys
  readonly keyFolder: string
  /** All daemons are on it, when given. */
  readonly machine: LabMachine | undefined
}

export interface DaemonOptions {
  readonly kind: DaemonKind
  /** Extra lines for its configuration file; for pure-ftpd further options. */
  readonly settings?: readonly string[]
  /** Name of its folder in the lab. */
  readonly name: string
  /** Bytes of the file system that is the home of `small`. */
  readonly smallDisk?: number | undefined
}

/** Prepares folders and configuration, and starts the daemon. */
export async function startDaemon(world: World, secrets: LabSecrets, options: DaemonOptions): Promise<LabDaemon> {
  const folder = path.join(world.folder, options.name)
  const homes = path.join(folder, 'homes')
  await mkdir(homes, { recursive: true })
  await makeHomes(homes)
  const files: AccountFiles = secrets.files(homes)
  for (const [name, text] of Object.entries<string>({ ...files })) {
    const mode = name === 'authUserFile' || name === 'shadow' ? 0o600 : 0o644
    await writeFile(path.join(folder, name), text, { mode })
  }
  const size = options.smallDisk
  if (size !== undefined) {
    const mount = (folder: string, owner: AccountName) => {
      const uid = PEOPLE.find((p) => p.name === owner)?.uid ?? 0
      return world.mountSmallDisk({ path: path.join(homes, folder), size, uid })
    }
    await mount('small', 'small')
    await mount('eve/full', 'eve')
  }

  const port = await freePort()
  const recipe = recipeOf(options.kind, {
    port,
    folder,
    root: INNER_ROOT,
    authUserFile: path.join(folder, 'authUserFile'),
    tls: secrets.tls,
    hostKeyFile: secrets.hostKey.keyFile,
    authorizedKeys: secrets.machine?.authorizedKeys ?? secrets.keyFolder,
    machine: secrets.machine !== undefined,
    settings: options.settings ?? [],
  })
  for (const [name, text] of Object.entries(recipe.files)) await writeFile(path.join(folder, name), text)

  const trust: Trust =
    recipe.protocol === 'ftp'
      ? { kind: 'none' }
      : {
          kind: 'pinned',
          fingerprints: [recipe.protocol === 'sftp' ? secrets.hostKey.fingerprint : secrets.tls.fingerprint],
        }
  const accounts = accountsOf(world, recipe, homes, secrets.keys, options.smallDisk !== undefined)
  const account = (name: AccountName): LabAccount => {
    const found = accounts.find((a) => a.username === name)
    if (found === undefined) throw new Error(`${options.kind} has no account ${name} in this lab.`)
    return found
  }
  const eves = (name: string) => path.posix.join(account('eve').remoteHome, name)
  const logFile = path.join(folder, 'output.log')
  const log = async () => {
    const own = await readFile(path.join(folder, 'proftpd.log'), 'utf8').catch(() => '')
    return (await readFile(logFile, 'utf8')) + own
  }

  let running: { child: ChildProcess; pid: number } | undefined
  const start = async () => {
    if (running !== undefined) return
    const bind =
      secrets.machine?.mounts ??
      ['passwd', 'group', 'shadow'].map((name) => `mount --bind ${folder}/${name} /etc/${name}`)
    const child = await world.start(recipe.command, recipe.args, {
      prepare: [...bind, ...(recipe.prepare === undefined ? [] : [recipe.prepare])].join(' && '),
      env: secrets.env,
      log: logFile,
    })
    try {
      await listening(port, child)
      const pid = world.processesOf(child).main
      if (pid === undefined) throw new Error('It ended at once.')
      running = { child, pid }
    } catch (error) {
      const { main } = world.processesOf(child)
      if (main !== undefined) signal(main, 'SIGKILL')
      throw new Error(`${options.kind} did not start: ${String(error)}\n${await log()}`, { cause: error })
    }
  }
  const stop = async () => {
    if (running === undefined) return
    const { child, pid } = running
    running = undefined
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
    signal(pid, 'SIGKILL')
    await ended
  }
  await start()

  return {
    kind: options.kind,
    endpoint: { protocol: recipe.protocol, host: '127.0.0.1', port, trust },
    accounts,
    account,
    forbidden: {
      folder: eves('forbidden'),
      unlistable: eves('unlistable'),
      readOnly: eves('read-only'),
      file: eves('forbidden.txt'),
      full: eves('full'),
    },
    chrooted: recipe.chrooted,
    authUserFile: path.join(folder, 'authUserFile'),
    get pid() {
      if (running === undefined) throw new Error(`${options.kind} is not running.`)
      return running.pid
    },
    sessions: () => (running === undefined ? [] : world.processesOf(running.child).others),
    stop,
    start,
    async restart() {
      await stop()
      await start()
    },
    log,
  }
}

function recipeOf(kind: DaemonKind, input: RecipeInput): Recipe {
  switch (kind) {
    case 'proftpd':
      return proftpd(input, 'none')
    case 'proftpd-ftps':
      return proftpd(input, 'explicit')
    case 'proftpd-ftps-implicit':
      return proftpd(input, 'implicit')
    case 'vsftpd':
      return vsftpd(input)
    case 'pure-ftpd':
      return pureFtpd(input)
    case 'sshd':
      return sshd(input)
  }
}

function accountsOf(world: World, recipe: Recipe, homes: string, keys: Keys, small: boolean): LabAccount[] {
  const here = PEOPLE.filter(
    (p) => (p.name !== 'small' || small) && (hasPassword(p.name) || recipe.protocol === 'sftp'),
  )
  return here.map((p) => {
    const home = path.join(homes, p.folder)
    return {
      username: p.name,
      ...(hasPassword(p.name) ? { password: passwordOf(p.name) } : {}),
      ...(p.name === 'carol' ? { privateKey: keys.carol } : {}),
      ...(p.name === 'dave' ? { privateKey: keys.dave, passphrase: keys.daveIsEncryptedWith } : {}),
      home: p.name === 'small' ? world.outside(home) : home,
      remoteHome: recipe.chrooted ? '/' : home,
      uid: p.uid,
    }
  })
}

/** Resolves when something accepts connections on `port`; rejects when the process ends first. */
async function listening(port: number, child: ChildProcess): Promise<void> {
  const deadline = AbortSignal.timeout(15_000)
  for (;;) {
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}.`)
    if (deadline.aborted) throw new Error('Nothing listened within 15 seconds.')
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (accepted) return
    await delay(10)
  }
}
