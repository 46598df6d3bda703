// Imported into the gateway by its options: on a signal it collects garbage, all of it or the young, and prints what is old then.
import { PerformanceObserver, constants } from 'node:perf_hooks'
import process from 'node:process'
import { setTimeout } from 'node:timers'
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
function tell() {
  const old = getHeapSpaceStatistics().filter(({ space_name: name }) => OLD.has(name))
  const bytes = old.reduce((sum, { space_used_size: used }) => sum + used, 0)
  // The observer hears of a collection some turns later.
  setTimeout(() => process.stdout.write(`old ${++asked}: ${JSON.stringify({ bytes, whole })}\n`), 50)
}

process.on('SIGWINCH', () => {
  // While V8 marks the heap nothing young goes; from here on it has no reason to.
  gc()
  tell()
})
process.on('SIGUSR2', () => {
  // What was new in the first is old after the second.
  for (let n = 0; n < 3; n++) gc({ type: 'minor' })
  tell()
})
