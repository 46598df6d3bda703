import type { Database } from '../db/database.js'
import type { Throttle, ThrottleSnapshot } from './throttle.js'

const NAME = 'login-throttle'
/** Of each kind of counter: about 600 KB at most in all. */
const MAX_RECORDS = 2000
const EVERY = 10_000

/** Keeps what a throttle counted, so that a restart is no way around it. Written in the background, when it changed. */
export class ThrottleMemory {
  #timer: NodeJS.Timeout | undefined
  #saved = 0

  constructor(
    private readonly database: Database,
    private readonly throttle: Throttle,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Loads what the last process left. What cannot be read is left out: it is no reason not to start. */
  async start(): Promise<void> {
    const row = await this.database.read(() => this.database.models.Setting.findByPk(NAME))
    try {
      if (row) await this.throttle.restore(JSON.parse(row.value) as ThrottleSnapshot)
    } catch (error) {
      this.onError(error)
    }
    this.#saved = this.throttle.changes
    this.#timer = setInterval(() => void this.#save(), EVERY)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#save()
  }

  async #save(): Promise<void> {
    const { changes } = this.throttle
    if (changes === this.#saved) return
    try {
      const value = JSON.stringify(await this.throttle.snapshot(MAX_RECORDS))
      await this.database.transaction(async (transaction) => {
        await this.database.models.Setting.upsert({ name: NAME, value }, { transaction })
      })
      this.#saved = changes
    } catch (error) {
      this.onError(error)
    }
  }
}
