/** The machine on which all daemons of a lab stand when their accounts are to be changed. */
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { INNER_ROOT } from './world.js'

export interface LabMachine {
  /** Folder for homes; inside and outside it has the same path. */
  readonly homes: string
  /** The machine's `/etc`, as this process sees it. */
  readonly etc: string
  /** Files of public keys, one for each account. */
  readonly authorizedKeys: string
  /** Logs in by key. */
  readonly root: { readonly username: 'root'; readonly privateKey: string }
  /** Logs in by password; may do by sudo what the test grants. */
  readonly steward: { readonly username: 'steward'; readonly password: string }
  /** Rules of sudoers(5) for steward, such as `ALL=(root) NOPASSWD: ALL`; none takes all rights away. */
  grant(...rules: string[]): Promise<void>
  /** Lines of sudoers(5) as they are; they name steward themselves. */
  sudoers(text: string): Promise<void>
  /** The program inside, which finds its libraries. */
  readonly purePw: string
  /** Shell commands that put a process on this machine. */
  readonly mounts: readonly string[]
}

/** `openssl passwd -6 -salt ftpcluster steward-secret` */
const STEWARD_HASH =
  '$6$ftpcluster$4RvxeYgsZpgRDaIxzT7cwmyMFdLxqVNcK/BFraX.Ungo5KE70yQxKiNP34CHB3D5Gj835rHUrpmevRFGr2wJn0'

/** @param privateKey whose public half is `<keys>/carol.pub` @param env what programs inside find their libraries by */
export async function makeMachine(
  folder: string,
  privateKey: string,
  keys: string,
  env: NodeJS.ProcessEnv,
): Promise<LabMachine> {
  const [etc, homes] = [path.join(folder, 'etc'), path.join(folder, 'home')]
  await mkdir(homes)
  await cp('/etc', etc, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true, force: true })
  const write = (name: string, lines: readonly string[], mode: number) =>
    writeFile(path.join(etc, name), lines.map((line) => `${line}\n`).join(''), { mode })
  const system = ['root:x:0:0::/root:/bin/sh', 'daemon:x:1:1::/usr/sbin:/usr/sbin/nologin']
  system.push('sshd:x:74:65534::/run/sshd:/usr/sbin/nologin', 'ftp:x:75:65534::/nonexistent:/usr/sbin/nologin')
  system.push('nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin', `steward:x:990:990::${folder}:/bin/sh`)
  await write('passwd', system, 0o644)
  await write('group', ['root:x:0:', 'daemon:x:1:', 'nogroup:x:65534:', 'steward:x:990:'], 0o644)
  await write('gshadow', ['root:*::', 'daemon:*::', 'nogroup:*::', 'steward:!::'], 0o640)
  const shadow = system.map((line) => line.split(':')[0] ?? '')
  await write(
    'shadow',
    shadow.map((name) => `${name}:${name === 'steward' ? STEWARD_HASH : '*'}:20000:0:99999:7:::`),
    0o640,
  )
  await mkdir(path.join(etc, 'sudoers.d'), { recursive: true })
  // proftpd starts with an AuthGroupFile that is there only.
  await write('ftpd.group', ['people:x:1500:'], 0o600)
  const pam = ['auth required pam_permit.so', 'account required pam_permit.so', 'session required pam_permit.so']
  await write('pam.d/sudo', pam, 0o644)
  const authorizedKeys = path.join(etc, 'ssh', 'authorized_keys')
  await mkdir(authorizedKeys, { recursive: true })
  await writeFile(path.join(authorizedKeys, 'root'), await readFile(path.join(keys, 'carol.pub')))
  const sudoers = async (text: string) => {
    await write('sudoers', ['Defaults !syslog', text], 0o440)
    await chmod(path.join(etc, 'sudoers'), 0o440)
  }
  const grant = (...rules: string[]) => sudoers(rules.map((rule) => `steward ${rule}`).join('\n'))
  await grant()
  const inner = '/etc/ssh/authorized_keys'
  // Whoever runs it has none of the variables that the daemons have.
  const libraries = env['LD_LIBRARY_PATH'] ?? ''
  // A hash for a server with very many logins at a time costs the least; seconds otherwise.
  const cheap = 'case "$1" in useradd | passwd) set -- "$@" -C 1000 -M 16000 ;; esac'
  const wrapper = `#!/bin/sh\n${cheap}\nLD_LIBRARY_PATH=${libraries} exec ${INNER_ROOT}/usr/bin/pure-pw "$@"\n`
  await writeFile(path.join(folder, 'pure-pw'), wrapper, { mode: 0o755 })
  return {
    homes,
    etc,
    authorizedKeys: inner,
    root: { username: 'root', privateKey },
    steward: { username: 'steward', password: 'steward-secret' },
    grant,
    sudoers,
    purePw: path.join(folder, 'pure-pw'),
    mounts: [
      `mount --bind ${etc} /etc`,
      // sudo loads its rules from here and from nowhere else.
      `mount --bind ${INNER_ROOT}/usr/libexec /usr/libexec`,
      // Nothing of these accounts is left in the logs of this system.
      'mount -t tmpfs log /var/log',
    ],
  }
}
