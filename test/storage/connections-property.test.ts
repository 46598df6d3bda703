import { expect } from 'chai'
import fc from 'fast-check'
import type { Use } from '../../src/storage/account.js'
import type { Connection } from '../../src/storage/driver.js'
import { isStorageError, StorageError } from '../../src/storage/errors.js'
import { settled } from '../support/manual-clock.js'
import { PoolBench } from './pool-bench.js'
import { account } from './scripted-driver.js'

const ACCOUNTS = 20
const USES = 50
const PER_SERVER = 7
const PER_ACCOUNT = 3

interface Step {
  readonly use: Use
  /** Turns of the event loop that the work takes. */
  readonly turns: number
  readonly ends: 'well' | 'in step' | 'out of step'
}

const step = fc.record<Step>({
  use: fc.constantFrom('metadata', 'transfer'),
  turns: fc.integer({ min: 0, max: 3 }),
  ends: fc.constantFrom('well', 'well', 'well', 'in step', 'out of step'),
})

describe('twenty accounts with fifty uses each', () => {
  it('never get the connection of another, never two at once, and never more than the bounds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: USES, maxLength: USES }), fc.boolean(), async (steps, oneServer) => {
        const bench = new PoolBench({ queue: ACCOUNTS * USES, wait: 1e9 })
        const limits = { maxConnections: PER_SERVER, maxConnectionsPerAccount: PER_ACCOUNT }
        const served = new Set<string>()
        const lent = new Map<string, string>()

        const run = async (number: number, { use, turns, ends }: Step): Promise<void> => {
          const username = `user${number}`
          const mine = account(username, { id: oneServer ? 1 : 1 + (number % 2), limits })
          const work = async (connection: Connection): Promise<void> => {
            const id = String(connection.traits.fingerprint)
            expect((await connection.stat('/whose')).name).to.equal(username)
            expect(lent.has(id), `${id} is lent already`).to.equal(false)
            lent.set(id, username)
            expect([...lent.values()].filter((name) => name === username)).to.have.length.at.most(PER_ACCOUNT)
            for (let turn = 0; turn < turns; turn++) await settled()
            lent.delete(id)
            if (ends !== 'well') throw new StorageError('PROTOCOL', 'planned', { inStep: ends === 'in step' })
          }
          try {
            await bench.connections.use(mine, use, work)
          } catch (error) {
            if (!isStorageError(error, 'PROTOCOL')) throw error
          }
          served.add(username)
        }

        const uses: Promise<void>[] = []
        steps.forEach((planned, round) => {
          for (let number = 0; number < ACCOUNTS; number++) {
            uses.push(run(number, { ...planned, turns: (planned.turns + number + round) % 4 }))
          }
        })
        await Promise.all(uses)

        expect(served.size).to.equal(ACCOUNTS)
        expect(bench.driver.mostOpen).to.be.at.most(oneServer ? PER_SERVER : 2 * PER_SERVER)
        expect(bench.driver.mostConnecting).to.be.at.most(oneServer ? 4 : 8)
        for (const server of bench.connections.stats().servers) {
          expect(server).to.include({ lent: 0, waiting: 0, connecting: 0 })
        }
        await bench.connections.close()
        expect(bench.driver.open).to.equal(0)
      }),
      { numRuns: 6 },
    )
  })
})
