import { Connections, type UseOptions } from '../../src/storage/connections.js'
import type { Account, Use } from '../../src/storage/account.js'
import type { Connection } from '../../src/storage/driver.js'
import type { ConnectionEvent } from '../../src/storage/connection-events.js'
import { isStorageError } from '../../src/storage/errors.js'
import type { PoolLimits } from '../../src/storage/pool-limits.js'
import { ManualClock, settled } from '../support/manual-clock.js'
import { Gate, ScriptedDriver } from './scripted-driver.js'

/** One use under way; the test says when its work ends. */
export interface Held {
  /** `waiting`, `working`, `done` or the code of the error. */
  state: string
  readonly connection: Connection | undefined
  end(error?: Error): Promise<void>
}

/** `Connections` over a scripted driver and a clock that the test moves, with a log of what happened in which order. */
export class PoolBench {
  readonly clock = new ManualClock()
  readonly driver = new ScriptedDriver()
  /** What the pools told. */
  readonly events: ConnectionEvent[] = []
  readonly connections: Connections

  constructor(limits: Partial<PoolLimits> = {}) {
    this.connections = new Connections({
      driverFor: () => this.driver,
      clock: this.clock,
      random: () => 0.5,
      limits,
      onEvent: (event) => void this.events.push(event),
    })
  }

  get order(): string[] {
    return this.driver.log
  }

  /** Starts a use whose work lasts until `end`; resolves when everything that can happen has happened. */
  async hold(label: string, account: Account, use: Use = 'metadata', options: UseOptions = {}): Promise<Held> {
    const held = this.start(label, account, use, options)
    await settled()
    return held
  }

  start(label: string, account: Account, use: Use = 'metadata', options: UseOptions = {}): Held {
    const gate = new Gate()
    let connection: Connection | undefined
    const held: Held = {
      state: 'waiting',
      get connection() {
        return connection
      },
      end: async (error) => {
        if (error === undefined) gate.open()
        else gate.fail(error)
        await settled()
      },
    }
    const work = async (lent: Connection): Promise<void> => {
      connection = lent
      held.state = 'working'
      this.order.push(`${label} works`)
      await gate.promise
    }
    this.connections.use(account, use, work, options).then(
      () => this.#ended(held, label, 'done'),
      (error: unknown) => this.#ended(held, label, isStorageError(error) ? error.code : String(error)),
    )
    return held
  }

  /** A use that ends by itself. @returns `done` or the code of the error */
  async once(account: Account, use: Use = 'metadata'): Promise<string> {
    try {
      await this.connections.use(account, use, (connection) => connection.stat('/a'))
      return 'done'
    } catch (error) {
      return isStorageError(error) ? error.code : String(error)
    }
  }

  /** The log since it was last taken. */
  takeOrder(): string[] {
    return this.order.splice(0)
  }

  #ended(held: Held, label: string, state: string): void {
    held.state = state
    this.order.push(`${label} ${state}`)
  }
}
