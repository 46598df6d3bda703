/**
 * The daemons and client programs of the lab, as Debian packages unpacked into `.lab/root`. They are never installed:
 * several of them exclude each other, and a test has no business in the system.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { must, run } from './run.js'

/** Packages that are unpacked into one folder below `.lab`. */
export interface PackageSet {
  /** Name of the folder. */
  readonly name: string
  /** Each line is resolved alone, because the FTP daemons conflict with each other. */
  readonly wanted: readonly (readonly string[])[]
}

const DAEMONS_AND_CLIENTS: PackageSet = {
  name: 'root',
  wanted: [
    ['proftpd-core', 'proftpd-mod-crypto'],
    ['vsftpd'],
    ['pure-ftpd'],
    ['openssh-server', 'openssh-sftp-server', 'openssh-client'],
    ['sudo'],
    ['litmus', 'cadaver'],
    ['rclone'],
    ['fuse3'],
    ['libfaketime'],
  ],
}

/** Dependencies that only an installed daemon would use. */
const NEVER = new Set(['openbsd-inetd', 'update-inetd', 'tcpd', 'runit-helper', 'debconf', 'libc6'])

const LAB = path.join(import.meta.dirname, '../../.lab')

interface Stamp {
  readonly wanted: unknown
  readonly packages: readonly string[]
}

/** Why this machine cannot have the lab; undefined when it can. */
export async function labObstacle(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'it needs Linux'
  if (process.getuid?.() !== 0) return 'it needs root, for mount namespaces and the logins of the daemons'
  const packages = packagesObstacle()
  if (packages !== undefined) return packages
  const namespaces = await run('unshare', ['--mount', '--pid', '--fork', 'true'])
  if (namespaces.code !== 0) return `mount and process namespaces are not permitted here: ${namespaces.stderr.trim()}`
  return undefined
}

/** Why this machine cannot fetch packages; undefined when it can. */
export function packagesObstacle(): string | undefined {
  if (existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg')) return undefined
  return 'it needs apt-get and dpkg (Debian or Ubuntu) to fetch packages'
}

/** Whether what cannot be had is a failure (`CI` is set) and not a reason to skip. */
export function mustHaveAll(): boolean {
  return process.env['CI'] !== undefined && process.env['CI'] !== '' && process.env['CI'] !== 'false'
}

/** The folder with the unpacked packages; fetched when missing, by one process at a time. */
export async function unpackedRoot(set: PackageSet = DAEMONS_AND_CLIENTS): Promise<string> {
  const root = path.join(LAB, set.name)
  if (await isFresh(set)) return root
  await mkdir(LAB, { recursive: true })
  const unlock = await lock(path.join(LAB, 'lock'))
  try {
    if (!(await isFresh(set))) await fetchPackages(set)
  } finally {
    await unlock()
  }
  return root
}

const stampOf = ({ name }: PackageSet): string => path.join(LAB, `${name}.json`)

async function isFresh(set: PackageSet): Promise<boolean> {
  if (!existsSync(stampOf(set)) || !existsSync(path.join(LAB, set.name))) return false
  const stamp = JSON.parse(await readFile(stampOf(set), 'utf8')) as Stamp
  return JSON.stringify(stamp.wanted) === JSON.stringify(set.wanted)
}

/** Held by a child until its input ends, so that the kernel frees it however this process ends. */
async function lock(file: string): Promise<() => Promise<void>> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  return async () => {
    holder.stdin.end()
    await once(holder, 'exit')
  }
}

async function fetchPackages(set: PackageSet): Promise<void> {
  const root = path.join(LAB, set.name)
  const archives = await mkdtemp(path.join(LAB, 'archives-'))
  const fresh = await mkdtemp(path.join(LAB, `${set.name}-`))
  try {
    const names = await resolveNames(set).catch(async () => {
      await must('apt-get', ['update', '-qq'], { timeout: 300_000 })
      return resolveNames(set)
    })
    await download(names, archives).catch(async () => {
      await must('apt-get', ['update', '-qq'], { timeout: 300_000 })
      await download(names, archives)
    })
    const files = (await readdir(archives)).filter((name) => name.endsWith('.deb')).sort()
    for (const file of files) await must('dpkg', ['-x', path.join(archives, file), fresh])
    await rm(stampOf(set), { force: true })
    await rm(root, { recursive: true, force: true })
    await rename(fresh, root)
    await writeFile(
      stampOf(set),
      JSON.stringify({ wanted: set.wanted, packages: files } satisfies Stamp, undefined, 2) + '\n',
    )
  } finally {
    await rm(archives, { recursive: true, force: true })
    await rm(fresh, { recursive: true, force: true })
  }
}

/** What is wanted, and every dependency that this system lacks. */
async function resolveNames({ wanted }: PackageSet): Promise<string[]> {
  const names = new Set<string>(wanted.flat())
  const simulate = ['-s', '-qq', '-y', '--no-install-recommends', 'install']
  const plans = await Promise.all(wanted.map((group) => must('apt-get', [...simulate, ...group])))
  for (const plan of plans) {
    for (const match of plan.matchAll(/^Inst (\S+)/gm)) if (match[1] !== undefined) names.add(match[1])
  }
  return [...names].filter((name) => !NEVER.has(name))
}

async function download(names: readonly string[], into: string): Promise<void> {
  await must('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', ...names], { cwd: into, timeout: 300_000 })
}

/**
 * Variables that let a program of the packages find its libraries and its siblings.
 * @param seenAs where `root` lies for the program, when that is another place
 */
export async function environmentOf(root: string, seenAs = root): Promise<NodeJS.ProcessEnv> {
  const libraries: string[] = []
  for (const base of ['lib', 'usr/lib']) {
    const folder = path.join(root, base)
    if (!existsSync(folder)) continue
    const names = (await readdir(folder)).filter((name) => name.includes('-linux-'))
    libraries.push(...names.map((name) => path.join(seenAs, base, name)))
  }
  const programs = ['usr/sbin', 'usr/bin', 'sbin', 'bin'].map((folder) => path.join(seenAs, folder))
  return {
    PATH: [...programs, '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':'),
    LD_LIBRARY_PATH: libraries.join(':'),
    TZ: 'UTC',
    LC_ALL: 'C.UTF-8',
  }
}
