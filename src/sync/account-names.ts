import { ProvisionError } from './provision-error.js'

/** Accounts below it belong to the system, whatever they are called. */
export const LOWEST_UID = 1000
/** `nobody` of Debian and of others. */
const NOBODY: readonly number[] = [65_534, 65_535, 4_294_967_294]

/** Names that systems and daemons use, also where this server has no such account yet. */
const RESERVED = new Set(
  (
    'root toor admin administrator daemon bin sys sync games man lp mail news uucp proxy backup list irc gnats nobody nogroup ' +
    'operator halt shutdown adm wheel sudo staff users ftp anonymous ftpuser proftpd vsftpd pureftpd sshd ssh www-data www ' +
    'apache nginx http postgres mysql redis memcache messagebus dbus polkitd avahi ntp chrony syslog uuidd tss _apt sftpgo ' +
    'postfix dovecot dovenull bind named dnsmasq unbound rpc rpcuser statd libvirt-qemu kvm docker lxd tcpdump landscape ftpcluster'
  ).split(' '),
)

export function reservedName(name: string): string | undefined {
  return RESERVED.has(name.toLowerCase()) || name.toLowerCase().startsWith('systemd-')
    ? 'This name belongs to the system.'
    : undefined
}

export function reservedUid(uid: number): string | undefined {
  if (Number.isInteger(uid) && uid >= LOWEST_UID && !NOBODY.includes(uid)) return undefined
  return `The account has the uid ${uid}: it belongs to the system.`
}

/** Unix accounts, as useradd(8) of Debian takes them. */
export function unixNameProblem(name: string): string | undefined {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) {
    return 'Accounts here have 1 to 32 small letters, digits, _ and -, and begin with a letter or _.'
  }
  return reservedName(name)
}

/** Accounts that only their FTP server knows, and folders. */
export function virtualNameProblem(name: string): string | undefined {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/.test(name)) {
    return 'Accounts here have 1 to 64 letters, digits and _ . @ -, and begin with a letter, a digit or _.'
  }
  if (/\.archived-/.test(name)) return 'Archived folders are called like this.'
  return reservedName(name)
}

/** @throws REFUSED when there is a `problem` */
export function refuseIf(problem: string | undefined): void {
  if (problem !== undefined) throw new ProvisionError('REFUSED', problem)
}

/** What may stand as a mark in every kind of account file. @throws REFUSED */
export function assertMark(mark: string | undefined): void {
  if (mark !== undefined && !/^[A-Za-z0-9-]{1,64}$/.test(mark)) {
    throw new ProvisionError('REFUSED', 'A mark has 1 to 64 letters, digits and hyphens.')
  }
}
