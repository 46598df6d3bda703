import {
  AccountFile,
  entryOf,
  freeUid,
  isLocked,
  lockedHash,
  unlockedHash,
  withLine,
  type LockedFile,
} from '../account-file.js'
import { assertMark, refuseIf, virtualNameProblem } from '../account-names.js'
import { assertHome } from '../home-paths.js'
import { Homes } from '../homes.js'
import type { RunOptions } from '../machine.js'
import type { ProvisionerOptions } from '../open-provisioner.js'
import { openTools } from '../open-tools.js'
import { parsePasswd } from '../passwd.js'
import type { SettingsOf } from '../provisioner-settings.js'
import type { Provisioner, ProvisionerCall } from '../provisioner.js'
import { assertOurs, passwordOf, VirtualAccounts } from '../virtual-accounts.js'

/**
 * Virtual accounts of pure-ftpd, by pure-pw(8). Each step ends with the database made anew from the file, also when the file
 * was right already: an earlier try may have ended between the two.
 */
export async function openPureFtpdProvisioner(
  settings: SettingsOf<'pure-ftpd'>,
  options: ProvisionerOptions,
): Promise<Provisioner> {
  const tools = await openTools(settings.ssh, options)
  const homes = new Homes(tools, settings.homeBase, options.now ?? Date.now)
  const file = new AccountFile(tools, settings.passwdFile, options.owner)
  // Chrooted accounts have `/./` where their root ends.
  const accounts = new VirtualAccounts(file, homes, ({ home }) => home.replace(/\/\.\/?$/, ''))

  const purePw = (locked: LockedFile, verb: string, name: string, flags: readonly string[], call: RunOptions) =>
    locked.editCopy(async (copy) => {
      await tools.must([settings.program, verb, name, '-f', copy, ...flags], call)
    }, call)
  const withPassword = (password: string, call: ProvisionerCall): RunOptions => ({
    ...call,
    input: `${password}\n${password}\n`,
    secrets: [password],
  })
  const changing = (call: ProvisionerCall, body: (locked: LockedFile) => Promise<void>) =>
    file.locked(call, async (locked) => {
      await body(locked)
      await tools.must([settings.program, 'mkdb', settings.database, '-f', settings.passwdFile], call)
    })
  /** pure-pw has no lock of its own: the hash is what decides. */
  const editHash = (locked: LockedFile, name: string, call: ProvisionerCall, make: (hash: string) => string) =>
    locked.edit((text) => {
      const entry = entryOf(text, name)
      if (entry === undefined) return text
      const line = text.split('\n').find((one) => one.startsWith(`${name}:`)) ?? ''
      return withLine(text, name, `${name}:${make(entry.hash)}${line.slice(name.length + 1 + entry.hash.length)}`)
    }, call)

  return {
    kind: 'pure-ftpd',
    ...accounts.alike,

    async create({ name, home = homes.defaultFor(name), secret, mark }, call) {
      refuseIf(virtualNameProblem(name))
      assertMark(mark)
      assertHome(homes.base, home)
      const password = passwordOf(secret)
      await changing(call, async (locked) => {
        const there = await accounts.find(name, call)
        if (there !== undefined) {
          assertOurs(there, mark)
          await purePw(locked, 'usermod', name, ['-d', home], call)
          await purePw(locked, 'passwd', name, [], withPassword(password, call))
          return
        }
        const uid = String(freeUid(parsePasswd(await file.read(call)), settings.uids))
        const comment = mark === undefined ? [] : ['-c', mark]
        const flags = ['-u', uid, '-g', uid, '-d', home, ...comment]
        await purePw(locked, 'useradd', name, flags, withPassword(password, call))
      })
    },

    async setSecret(name, secret, call) {
      const password = passwordOf(secret)
      await changing(call, async (locked) => {
        const { hash } = await accounts.mustFind(name, call)
        await purePw(locked, 'passwd', name, [], withPassword(password, call))
        if (isLocked(hash)) await editHash(locked, name, call, lockedHash)
      })
    },

    async setHome(name, home, call) {
      assertHome(homes.base, home)
      await changing(call, async (locked) => {
        await accounts.mustFind(name, call)
        await purePw(locked, 'usermod', name, ['-d', home], call)
      })
    },

    enable: (name, call) =>
      changing(call, async (locked) => {
        await accounts.mustFind(name, call)
        await editHash(locked, name, call, unlockedHash)
      }),

    disable: (name, call) =>
      changing(call, async (locked) => {
        await accounts.mustFind(name, call)
        await editHash(locked, name, call, lockedHash)
      }),

    async archiveHome(name, home, call) {
      await accounts.find(name, call)
      return homes.archive(home, call)
    },

    remove: (name, call) =>
      changing(call, async (locked) => {
        if ((await accounts.find(name, call)) !== undefined) await purePw(locked, 'userdel', name, [], call)
      }),

    close: () => tools.close(),
  }
}
