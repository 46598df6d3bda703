import { joinRemote, nameOf, parentOf } from '../../storage/remote-path.js'
import { isStorageError } from '../../storage/errors.js'
import { refuseIf, virtualNameProblem } from '../account-names.js'
import { assertHome, isArchive } from '../home-paths.js'
import type { ProvisionerOptions } from '../open-provisioner.js'
import { fromStorage, ProvisionError } from '../provision-error.js'
import type { SettingsOf } from '../provisioner-settings.js'
import type { Provisioner } from '../provisioner.js'

/**
 * Home folders only, by FTP or SFTP with the server's admin login: `MKD <username>`. Works on any server; accounts are
 * somebody else's work. The folder belongs to the admin login, with the mode that the server gives.
 */
export async function openFolderProvisioner(
  settings: SettingsOf<'folder'>,
  { server, drivers, signal }: ProvisionerOptions,
): Promise<Provisioner> {
  const { endpoint, admin } = server
  if (admin === undefined) throw new ProvisionError('UNSUPPORTED', 'The server has no admin login stored.')
  const connection = await translated(drivers.driverFor(endpoint.protocol).connect(endpoint, admin, { signal }))
  const base = settings.base ?? connection.home

  return {
    kind: 'folder',
    secrets: [],
    nameProblem: virtualNameProblem,
    defaultHome: (name) => joinRemote(base, name),

    async read(call) {
      const { entries } = await translated(connection.list(base, call))
      return entries
        .filter(({ name, type, symlink }) => type === 'directory' && !symlink && !isArchive(name))
        .filter(({ name }) => virtualNameProblem(name) === undefined)
        .map(({ name }) => ({ name, state: 'enabled', home: joinRemote(base, name), homeReady: true }))
    },

    async makeHome(name, home, call) {
      refuseIf(virtualNameProblem(name))
      assertHome(base, home)
      try {
        await connection.makeDirectory(home, call)
      } catch (error) {
        if (!isStorageError(error, 'ALREADY_EXISTS')) throw fromStorage(error)
        const { entries } = await translated(connection.list(parentOf(home), call))
        const there = entries.find((entry) => entry.name === nameOf(home))
        if (there?.type !== 'directory' || there.symlink) {
          throw new ProvisionError('NAME_TAKEN', `${home} is there already and is no folder.`, { cause: error })
        }
      }
    },

    close() {
      connection.close()
      return Promise.resolve()
    },
  }
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw fromStorage(error)
  }
}
