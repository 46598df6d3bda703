/** The people of the lab: the same on every daemon, each daemon with folders of its own. */
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { must } from './run.js'

export type AccountName = 'alice' | 'bob' | 'shared1' | 'shared2' | 'eve' | 'carol' | 'dave' | 'small'

/** Also a `Login` of the storage layer. */
export interface LabAccount {
  readonly username: string
  readonly password?: string
  readonly privateKey?: string
  readonly passphrase?: string
  /** The account's home as this process sees it, to look at and to plant files. */
  readonly home: string
  /** The same folder as the server names it after login. */
  readonly remoteHome: string
  readonly uid: number
}

/** Where this process finds what the server calls `remotePath` for `account`. */
export function localPath(account: LabAccount, remotePath: string): string {
  return path.join(account.home, path.posix.relative(account.remoteHome, remotePath))
}

interface Person {
  readonly name: AccountName
  readonly uid: number
  readonly folder: string
}

/** `shared1` and `shared2` are two logins of one system user in one folder. In eve's home lie things that she may not touch. */
export const PEOPLE: readonly Person[] = [
  { name: 'alice', uid: 2001, folder: 'alice' },
  { name: 'bob', uid: 2002, folder: 'bob' },
  { name: 'shared1', uid: 2003, folder: 'shared' },
  { name: 'shared2', uid: 2003, folder: 'shared' },
  { name: 'eve', uid: 2004, folder: 'eve' },
  { name: 'carol', uid: 2005, folder: 'carol' },
  { name: 'dave', uid: 2006, folder: 'dave' },
  { name: 'small', uid: 2007, folder: 'small' },
]

export const passwordOf = (name: AccountName): string => `${name}-secret`

/** Key-only accounts have no password anywhere. */
export const hasPassword = (name: AccountName): boolean => name !== 'carol' && name !== 'dave'

export interface Keys {
  readonly carol: string
  readonly dave: string
  readonly daveIsEncryptedWith: string
}

export interface AccountFiles {
  readonly passwd: string
  readonly group: string
  readonly shadow: string
  readonly authUserFile: string
}

/** Text of `passwd`, `group` and `shadow` for homes below `homes`. */
export function accountFiles(homes: string, hashes: ReadonlyMap<AccountName, string>): AccountFiles {
  const system = ['root:x:0:0::/root:/bin/sh', 'nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin']
  system.push('sshd:x:74:65534::/run/sshd:/usr/sbin/nologin', 'ftp:x:75:65534::/nonexistent:/usr/sbin/nologin')
  const passwd = PEOPLE.map((p) => `${p.name}:x:${p.uid}:${p.uid}::${path.join(homes, p.folder)}:/bin/sh`)
  const group = PEOPLE.filter((p) => p.name !== 'shared2').map((p) => `${p.name}:x:${p.uid}:`)
  const shadow = PEOPLE.map((p) => `${p.name}:${hashes.get(p.name) ?? '*'}:20000:0:99999:7:::`)
  // proftpd's AuthUserFile: passwd with the hash in its second field.
  const authUserFile = PEOPLE.filter((p) => hashes.has(p.name)).map(
    (p) => `${p.name}:${hashes.get(p.name) ?? '*'}:${p.uid}:${p.uid}::${path.join(homes, p.folder)}:/bin/sh`,
  )
  const text = (lines: readonly string[]) => lines.join('\n') + '\n'
  return {
    passwd: text([...system, ...passwd]),
    group: text(['root:x:0:', 'nogroup:x:65534:', ...group]),
    shadow: text([...system.map((line) => `${line.split(':')[0]}:*:20000:0:99999:7:::`), ...shadow]),
    authUserFile: text(authUserFile),
  }
}

export async function hashPasswords(env: NodeJS.ProcessEnv): Promise<Map<AccountName, string>> {
  const names = PEOPLE.map((p) => p.name).filter(hasPassword)
  const output = await must('openssl', ['passwd', '-6', '-salt', 'ftpcluster', ...names.map(passwordOf)], { env })
  const lines = output.trim().split('\n')
  return new Map(names.map((name, i) => [name, lines[i] ?? '']))
}

export async function makeHomes(homes: string): Promise<void> {
  for (const person of PEOPLE) {
    const home = path.join(homes, person.folder)
    await mkdir(home, { recursive: true })
    await chown(home, person.uid, person.uid)
  }
  await plantRefusals(path.join(homes, 'eve'))
}

/** Folders and files of root's that a server, as eve, must refuse. */
async function plantRefusals(home: string): Promise<void> {
  const modes = { forbidden: 0o700, unlistable: 0o711, 'read-only': 0o755 }
  for (const [name, mode] of Object.entries(modes)) {
    const folder = path.join(home, name)
    await mkdir(folder)
    await chmod(folder, mode)
    await writeFile(path.join(folder, 'inside.txt'), 'of somebody else\n')
  }
  await writeFile(path.join(home, 'forbidden.txt'), 'not for eve\n', { mode: 0o600 })
}

/** SSH keys: carol's is plain, dave's wants a passphrase. Writes `<keys>/<name>.pub` for sshd to read. */
export async function makeKeys(keys: string, env: NodeJS.ProcessEnv): Promise<Keys> {
  const passphrase = 'dave’s passphrase'
  await mkdir(keys)
  const make = async (name: string, secret: string) => {
    const file = path.join(keys, name)
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-a', '4', '-N', secret, '-C', name, '-f', file], { env })
    return readFile(file, 'utf8')
  }
  const [carol, dave] = await Promise.all([make('carol', ''), make('dave', passphrase)])
  return { carol, dave, daveIsEncryptedWith: passphrase }
}
