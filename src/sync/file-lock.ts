import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { nameOf, parentOf } from '../storage/remote-path.js'
import { ProvisionError } from './provision-error.js'
import type { ProvisionerCall } from './provisioner.js'
import { failure, type Tools } from './tools.js'

const DEADLINE = 20_000
const RETRY = 100
/** Minutes of the server's clock after which whoever held the lock is taken for dead. No step takes that long. */
const STALE = 5

/** A lock that is held. What is to take the file's place is made in `own` and moved away by way of `link`. */
export interface HeldLock {
  /** The holder's own folder beside the file. */
  readonly own: string
  /** The same folder, for as long as the lock is held: who lost it finds nothing here to move. */
  readonly link: string
}

/**
 * One at a time changes a file on a server, whichever gateway it is. The lock is a link beside the file to a folder of its
 * holder's: made in one step, it says whose it is. What an earlier run of the same owner left is broken at once; the lock of
 * anybody else is waited for. A folder of the lock's name, as a script can make it by mkdir, is a lock as well.
 */
export class FileLock {
  readonly #link: string
  readonly #base: string
  #swept = false

  /**
   * @param owner one who works on the file once at a time, e.g. by a claim, so that every other lock of its name is of a run
   *   that ended; letters, digits and hyphens. Without it nothing is broken before it is stale.
   */
  constructor(
    private readonly tools: Tools,
    path: string,
    private readonly owner: string | undefined,
  ) {
    this.#link = `${path}.ftpcluster-lock`
    this.#base = `${path}.ftpcluster-${owner ?? 'nobody'}-`
  }

  /** @throws TIMED_OUT when somebody else holds it all the while */
  async hold<T>(call: ProvisionerCall, body: (held: HeldLock) => Promise<T>): Promise<T> {
    const own = this.#base + randomBytes(8).toString('hex')
    const { tools } = this
    try {
      await tools.must(['mkdir', '-m', '0700', '--', own], call)
      await this.#acquire(own, call)
      await this.#sweep(own, call)
      return await body({ own, link: this.#link })
    } finally {
      // Without the signal: the lock must go also when the step was stopped. The next run breaks one that stays.
      const mine = ['find', this.#link, '-maxdepth', '0', '-lname', pattern(nameOf(own)), '-delete']
      await tools.asRoot(mine).catch(() => undefined)
      await tools.asRoot(['rm', '-r', '-f', '--', own]).catch(() => undefined)
    }
  }

  async #acquire(own: string, call: ProvisionerCall): Promise<void> {
    const argv = ['ln', '-s', '-T', '--', nameOf(own), this.#link]
    const until = AbortSignal.timeout(DEADLINE)
    for (;;) {
      const result = await this.tools.asRoot(argv, call)
      if (result.code === 0) return
      if (!/file exists/i.test(result.stderr)) throw failure(argv, result)
      if (await this.#break(call)) continue
      if (until.aborted) {
        throw new ProvisionError('TIMED_OUT', `Somebody else has held ${this.#link} for ${DEADLINE} ms.`)
      }
      await delay(RETRY)
    }
  }

  /** By one program that looks and removes: it takes away no lock but the one that it looked at. */
  async #break(call: ProvisionerCall): Promise<boolean> {
    const stale = ['-mmin', `+${STALE}`]
    const earlier = this.owner === undefined ? [] : ['-lname', `${pattern(nameOf(this.#base))}*`, '-o']
    const argv = ['find', this.#link, '-maxdepth', '0', '(', ...earlier, ...stale, ')', '-delete', '-print']
    return (await this.tools.asRoot(argv, call)).stdout !== ''
  }

  /** Folders of earlier runs, which may hold half a file of hashes. */
  async #sweep(own: string, call: ProvisionerCall): Promise<void> {
    if (this.owner === undefined || this.#swept) return
    const earlier = ['-type', 'd', '-name', `${pattern(nameOf(this.#base))}*`, '!', '-name', pattern(nameOf(own))]
    const inFolder = ['find', parentOf(own), '-mindepth', '1', '-maxdepth', '1']
    await this.tools.must([...inFolder, ...earlier, '-exec', 'rm', '-r', '-f', '--', '{}', '+'], call)
    this.#swept = true
  }
}

/** A name as fnmatch(3) takes it for itself. */
function pattern(name: string): string {
  return name.replace(/[\\*?[\]]/g, '\\$&')
}
