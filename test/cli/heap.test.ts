import { expect } from 'chai'
import path from 'node:path'
import { must } from '../lab/run.js'

const HEAP = path.join(import.meta.dirname, '../../src/cli/heap.ts')

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

  it('grows to less than four times what is in use, young objects and what is being collected included', async () => {
    const stdout = await must(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', PROGRAM], {
      timeout: 60_000,
    })
    const { inUse, most } = JSON.parse(stdout) as { readonly inUse: number; readonly most: number }
    // 2.8 times on a quiet machine; 4.9 without the bound.
    expect(most).to.be.below(3.8 * inUse)
  })
})
