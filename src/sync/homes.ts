import { parentOf } from '../storage/remote-path.js'
import { archivePath, assertHome, lastArchive } from './home-paths.js'
import { ProvisionError } from './provision-error.js'
import type { ProvisionerCall } from './provisioner.js'
import { failure, type Tools } from './tools.js'

export interface HomeOwner {
  readonly uid: number
  readonly gid: number
}

/** The folders right below `base`, on a machine where programs can be run. */
export class Homes {
  constructor(
    private readonly tools: Tools,
    readonly base: string,
    private readonly now: () => number,
  ) {}

  defaultFor(name: string): string {
    return this.base === '/' ? `/${name}` : `${this.base}/${name}`
  }

  /** Owner's uid of every folder below the base, in one question. */
  async read(call: ProvisionerCall): Promise<Map<string, number>> {
    const argv = ['find', this.base, '-mindepth', '1', '-maxdepth', '1', '-type', 'd', '-printf', '%U %p\\0']
    const result = await this.tools.plain(argv, call)
    if (result.code !== 0) {
      if (/no such file/i.test(result.stderr)) throw this.#noBase()
      throw failure(argv, result)
    }
    const lines = result.stdout.split('\0').filter((line) => line !== '')
    return new Map(lines.map((line) => [line.slice(line.indexOf(' ') + 1), Number.parseInt(line, 10)]))
  }

  /** Undefined where the folder lies outside of what `read` saw. */
  isReady(folders: ReadonlyMap<string, number>, home: string, uid: number): boolean | undefined {
    return parentOf(home) === this.base ? folders.get(home) === uid : undefined
  }

  /** @throws NAME_TAKEN when the folder is there and neither root's nor the owner's */
  async make(home: string, owner: HomeOwner, call: ProvisionerCall): Promise<void> {
    assertHome(this.base, home)
    const uid = await this.#ownerOf(home, call)
    if (uid !== undefined && uid !== 0 && uid !== owner.uid) {
      throw new ProvisionError('NAME_TAKEN', `${home} belongs to somebody else (uid ${uid}).`)
    }
    const whose = ['-m', '0700', '-o', String(owner.uid), '-g', String(owner.gid)]
    await this.tools.must(['install', '-d', ...whose, '--', home], call)
  }

  /** Root's before it moves: at no time can its owner get in under the new name. */
  async archive(home: string, call: ProvisionerCall): Promise<string | undefined> {
    assertHome(this.base, home)
    const folders = await this.read(call)
    if (!folders.has(home)) return lastArchive(home, folders.keys())
    const to = archivePath(home, this.now(), new Set(folders.keys()))
    await this.tools.must(['chown', '--no-dereference', 'root:root', '--', home], call)
    await this.tools.must(['chmod', '0700', '--', home], call)
    await this.tools.must(['mv', '-T', '--', home, to], call)
    return to
  }

  /** @throws NAME_TAKEN when something other than a folder is there */
  async #ownerOf(home: string, call: ProvisionerCall): Promise<number | undefined> {
    const argv = ['stat', '-c', '%u %F', '--', home]
    const result = await this.tools.asRoot(argv, call)
    const [, uid, what] = /^(\d+) (.*)$/m.exec(result.stdout) ?? []
    if (result.code !== 0) {
      if (/no such file/i.test(result.stderr)) return undefined
      throw failure(argv, result)
    }
    if (what !== 'directory') throw new ProvisionError('NAME_TAKEN', `${home} is there already and is no folder.`)
    return Number(uid)
  }

  #noBase(): ProvisionError {
    return new ProvisionError('UNSUPPORTED', `The folder for homes, ${this.base}, is not on the server.`)
  }
}
