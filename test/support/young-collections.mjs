// Imported into the gateway by its options: on a signal it collects young objects and prints what is old then.
import { PerformanceObserver, constants } from 'node:perf_hooks'
import process from 'node:process'
import { setImmediate } from 'node:timers'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')
let whole = 0
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) whole++
}).observe({ entryTypes: ['gc'] })

const OLD = new Set(['old_space', 'large_object_space'])

let asked = 0
process.on('SIGUSR2', () => {
  // What was new in the first is old after the second.
  for (let n = 0; n < 3; n++) gc({ type: 'minor' })
  const old = getHeapSpaceStatistics().filter(({ space_name: name }) => OLD.has(name))
  const bytes = old.reduce((sum, { space_used_size: used }) => sum + used, 0)
  // The observer hears of a collection a turn later.
  setImmediate(() => process.stdout.write(`old ${++asked}: ${JSON.stringify({ bytes, whole })}\n`))
})
