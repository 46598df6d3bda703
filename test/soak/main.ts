/** `npm run soak -- --minutes 30 [--rate 25] [--faults 30] [--seed 1]` */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { soak } from './soak.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    rate: { type: 'string', default: '25' },
    faults: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
})
process.stdout.write(`seed ${values.seed}\n`)
const result = await soak({
  minutes: Number(values.minutes),
  rate: Number(values.rate),
  faultEvery: Number(values.faults),
  seed: Number(values.seed),
})
process.stdout.write(result.report + '\n')
process.exitCode = result.violations.length === 0 ? 0 : 1
