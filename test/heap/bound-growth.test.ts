import { expect } from 'chai'
import path from 'node:path'
import { must } from '../lab/run.js'

const HEAP = path.join(import.meta.dirname, '../../src/heap/bound-growth.ts')

/** Replaces what it keeps again and again, as caches do, and says how much it kept and how large the heap became. */
const PROGRAM = `
  import { getHeapStatistics } from 'node:v8'
  import { boundHeapGrowth } from ${JSON.stringify(HEAP)}
  boundHeapGrowth()
  const entry = (n) => ({ name: 'entry ' + n, tags: [n, n + 1, n + 2, n + 3], other: { n } })
  const kept = Array.from({ length: 300_000 }, (_, n) => entry(n))
  const inUse = getHeapStatistics().used_heap_size
  let most = 0
  for (let n = 0; n < 3_000_000; n++) {
    kept[(n * 7919) % kept.length] = entry(n)
    if (n % 10_000 === 0) most = Math.max(most, getHeapStatistics().total_heap_size)
  }
  console.log(JSON.stringify({ inUse, most }))
`

describe('the heap of the gateway', function () {
  this.timeout(60_000)

  it('grows to three times what is in use at most, young objects included', async () => {
    // Beside a busy machine the collector's threads fall behind the program; without them it waits for the collector.
    const node = ['--single-threaded-gc', '--import', 'tsx', '--input-type=module']
    const stdout = await must(process.execPath, [...node, '-e', PROGRAM], { timeout: 60_000 })
    const { inUse, most } = JSON.parse(stdout) as { readonly inUse: number; readonly most: number }
    expect(most).to.be.below(3 * inUse)
  })
})
