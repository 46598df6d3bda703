import { randomBytes } from 'node:crypto'
import { encrypt } from 'unixcrypt'
import { AccountFile, entryOf, freeUid, isLocked, lockedHash, unlockedHash, withLine } from '../account-file.js'
import { assertMark, refuseIf, virtualNameProblem } from '../account-names.js'
import { assertHome } from '../home-paths.js'
import { Homes } from '../homes.js'
import type { ProvisionerOptions } from '../open-provisioner.js'
import { openTools } from '../open-tools.js'
import { parsePasswd, type PasswdEntry } from '../passwd.js'
import { ProvisionError } from '../provision-error.js'
import type { SettingsOf } from '../provisioner-settings.js'
import type { Provisioner, ProvisionerCall } from '../provisioner.js'
import { assertOurs, passwordOf, VirtualAccounts } from '../virtual-accounts.js'

/**
 * Accounts in proftpd's AuthUserFile, and a group for each in its AuthGroupFile, as ftpasswd(1) writes them. The hash is made
 * here, so that the password never leaves the gateway.
 */
export async function openProftpdFileProvisioner(
  settings: SettingsOf<'proftpd-file'>,
  options: ProvisionerOptions,
): Promise<Provisioner> {
  const tools = await openTools(settings.ssh, options)
  const homes = new Homes(tools, settings.homeBase, options.now ?? Date.now)
  const users = new AccountFile(tools, settings.userFile, options.owner)
  const groups =
    settings.groupFile === undefined ? undefined : new AccountFile(tools, settings.groupFile, options.owner)
  const accounts = new VirtualAccounts(users, homes)

  /** One account's line anew, from the line that stands there under the lock. */
  const change = (name: string, call: ProvisionerCall, make: (entry: PasswdEntry) => PasswdEntry) =>
    accounts.changing(name, call, async (file) => {
      await file.edit((text) => {
        const entry = entryOf(text, name)
        return entry === undefined ? text : withLine(text, name, lineOf(make(entry)))
      }, call)
    })

  return {
    kind: 'proftpd-file',
    ...accounts.alike,

    async create({ name, home = homes.defaultFor(name), secret, mark }, call) {
      refuseIf(virtualNameProblem(name))
      assertMark(mark)
      assertHome(homes.base, home)
      const hash = hashOf(passwordOf(secret))
      await users.locked(call, async (file) => {
        const there = await accounts.find(name, call)
        if (there !== undefined) assertOurs(there, mark)
        const entries = parsePasswd(await users.read(call))
        const groupText = groups === undefined ? '' : await groups.read(call)
        const group = groupText.split('\n').find((line) => line.startsWith(`${name}:`))
        const left = group === undefined ? undefined : idOfOwnGroup(group, name, settings.uids, entries)
        // The group of an account whose line was lost says which uid its files have.
        const uid = there?.uid ?? left ?? freeUid([...entries, ...groupIds(groupText)], settings.uids)
        const gid = there?.gid ?? uid
        if (groups) {
          if (group !== undefined && group.split(':')[2] !== String(gid)) {
            throw new ProvisionError('NAME_TAKEN', `There is a group ${name} that the gateway did not make.`)
          }
          await groups.locked(call, (own) => own.edit((text) => withLine(text, name, groupLine(name, gid)), call))
        }
        const entry = { name, hash, uid, gid, comment: mark ?? '', home, shell: settings.shell }
        await file.edit((text) => withLine(text, name, lineOf(entry)), call)
      })
    },

    async setSecret(name, secret, call) {
      const hash = hashOf(passwordOf(secret))
      await change(name, call, (entry) => ({ ...entry, hash: isLocked(entry.hash) ? lockedHash(hash) : hash }))
    },

    async setHome(name, home, call) {
      assertHome(homes.base, home)
      await change(name, call, (entry) => ({ ...entry, home }))
    },

    enable: (name, call) => change(name, call, (entry) => ({ ...entry, hash: unlockedHash(entry.hash) })),
    disable: (name, call) => change(name, call, (entry) => ({ ...entry, hash: lockedHash(entry.hash) })),

    async archiveHome(name, home, call) {
      await accounts.find(name, call)
      return homes.archive(home, call)
    },

    async remove(name, call) {
      await accounts.find(name, call)
      await users.locked(call, async (file) => {
        await file.edit((text) => withLine(text, name, undefined), call)
        await groups?.locked(call, (own) => own.edit((text) => withLine(text, name, undefined), call))
      })
    },

    close: () => tools.close(),
  }
}

function lineOf({ name, hash, uid, gid, comment, home, shell }: PasswdEntry): string {
  return [name, hash, uid, gid, comment, home, shell].join(':')
}

/** Undefined unless the line is as `create` writes it, and its number nobody else's. */
function idOfOwnGroup(
  line: string,
  name: string,
  { from, to }: { from: number; to: number },
  entries: readonly PasswdEntry[],
): number | undefined {
  const id = Number(line.split(':')[2])
  const others = entries.some((entry) => entry.name !== name && (entry.uid === id || entry.gid === id))
  return line === groupLine(name, id) && id >= from && id <= to && !others ? id : undefined
}

function groupLine(name: string, gid: number): string {
  return `${name}:x:${gid}:${name}`
}

/** Their numbers count as taken. */
function groupIds(text: string): PasswdEntry[] {
  return parsePasswd(text.replace(/^([^:\n]*:[^:\n]*:)(\d+):/gm, '$1$2:$2:'))
}

/** SHA-512 crypt, which every libc knows. 128 bits of salt would not fit: 16 characters are what it takes. */
function hashOf(password: string): string {
  return encrypt(password, `$6$${randomBytes(12).toString('base64').replaceAll('+', '.')}`)
}
