import { expect } from 'chai'
import { soak } from './soak.js'

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 2)

describe('the soak, short', function () {
  this.timeout(MINUTES * 60_000 + 240_000)

  it(`${MINUTES} minutes of load with a fault every 10 s: nothing lost, nothing torn, nothing left`, async function () {
    const result = await soak({ minutes: MINUTES, rate: 20, faultEvery: 10, context: this })
    process.stdout.write(result.report.replace(/^/gm, '      ') + '\n')
    expect(result.violations).to.deep.equal([])
  })
})
