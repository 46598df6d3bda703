import { expect } from 'chai'
import { randomInt } from 'node:crypto'
import { soak } from './soak.js'

/** Longer with `SOAK_MINUTES=3 npm test`; the same again with the `SOAK_SEED` that was printed. */
const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 1)
const SEED = Number(process.env['SOAK_SEED'] ?? randomInt(2 ** 31))

describe('the soak, short', function () {
  this.timeout(MINUTES * 60_000 + 480_000)

  it(`${MINUTES} minutes of load with a fault every 6 s: nothing lost, nothing torn, nothing left`, async function () {
    const result = await soak({ minutes: MINUTES, rate: 20, faultEvery: 6, seed: SEED, context: this })
    process.stdout.write(result.report.replace(/^/gm, '      ') + '\n')
    expect(result.violations, `with SOAK_SEED=${SEED}`).to.deep.equal([])
  })
})
