import { entryOf, isLocked, type AccountFile, type LockedFile } from './account-file.js'
import { refuseIf, reservedUid, virtualNameProblem } from './account-names.js'
import type { Homes } from './homes.js'
import { parsePasswd, type PasswdEntry } from './passwd.js'
import { ProvisionError } from './provision-error.js'
import type { AccountSecret, ObservedAccount, Provisioner, ProvisionerCall } from './provisioner.js'

/** Accounts that only their FTP server knows, in a file in the format of passwd(5) with a hash in it. */
export class VirtualAccounts {
  constructor(
    private readonly file: AccountFile,
    private readonly homes: Homes,
    /** How the file spells a home -> its path. */
    private readonly homeOf: (entry: PasswdEntry) => string = (entry) => entry.home,
  ) {}

  /** What all kinds with such a file do alike. */
  get alike(): Pick<Provisioner, 'secrets' | 'nameProblem' | 'defaultHome' | 'read' | 'makeHome'> {
    return {
      secrets: ['password'],
      nameProblem: virtualNameProblem,
      defaultHome: (name) => this.homes.defaultFor(name),
      read: (call) => this.read(call),
      makeHome: async (name, home, call) => {
        await this.homes.make(home, await this.mustFind(name, call), call)
      },
    }
  }

  async read(call: ProvisionerCall): Promise<ObservedAccount[]> {
    const entries = parsePasswd(await this.file.read(call))
    const folders = await this.homes.read(call)
    return entries.map((entry) => {
      const home = this.homeOf(entry)
      return {
        name: entry.name,
        state: isLocked(entry.hash) ? 'disabled' : 'enabled',
        home,
        homeReady: this.homes.isReady(folders, home, entry.uid),
        mark: entry.comment,
        reserved: reservedEntry(entry),
      }
    })
  }

  /** @throws REFUSED */
  async find(name: string, call: ProvisionerCall): Promise<PasswdEntry | undefined> {
    refuseIf(virtualNameProblem(name))
    const entry = entryOf(await this.file.read(call), name)
    if (entry !== undefined) refuseIf(reservedEntry(entry))
    return entry
  }

  /** Under the lock of the file, after the name was judged: nobody waits only to be refused. @throws REFUSED, NO_ACCOUNT */
  async changing<T>(name: string, call: ProvisionerCall, body: (file: LockedFile) => Promise<T>): Promise<T> {
    await this.mustFind(name, call)
    return this.file.locked(call, body)
  }

  /** @throws REFUSED, NO_ACCOUNT */
  async mustFind(name: string, call: ProvisionerCall): Promise<PasswdEntry> {
    const entry = await this.find(name, call)
    if (entry === undefined) throw new ProvisionError('NO_ACCOUNT', `There is no account ${name}.`)
    return entry
  }
}

function reservedEntry({ name, uid, gid }: PasswdEntry): string | undefined {
  return virtualNameProblem(name) ?? reservedUid(uid) ?? reservedUid(gid)
}

/** @throws NAME_TAKEN unless the entry carries the mark */
export function assertOurs(entry: PasswdEntry, mark: string | undefined): void {
  if (mark === undefined || entry.comment !== mark) {
    throw new ProvisionError('NAME_TAKEN', `There is an account ${entry.name} that the gateway did not make.`)
  }
}

/** @throws UNSUPPORTED for a key; REFUSED for what could be taken for more than one line */
export function passwordOf(secret: AccountSecret): string {
  if (secret.kind === 'key') throw new ProvisionError('UNSUPPORTED', 'Accounts here log in with passwords.')
  if (!/^[^\p{Cc}]+$/u.test(secret.password)) {
    throw new ProvisionError('REFUSED', 'A password holds no control characters.')
  }
  return secret.password
}
