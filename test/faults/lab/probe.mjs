// Imported into the gateway by NODE_OPTIONS: on a signal it collects garbage and prints what the process holds.
import { Socket } from 'node:net'
import process from 'node:process'
import { clearTimeout, setTimeout } from 'node:timers'
import { queryObjects, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')
const timer = setTimeout(() => undefined, 0)
const Timeout = timer.constructor
clearTimeout(timer)

/** What keeps it running, and its memory. */
function seen() {
  gc()
  const resources = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  const { heapUsed, external } = process.memoryUsage()
  return { heapUsed, external, resources }
}

process.on('SIGUSR2', () => process.stdout.write(JSON.stringify({ probe: seen() }) + '\n'))
process.on('SIGWINCH', () => {
  // Also those that keep no process alive. This walks the whole heap, for seconds on a busy machine.
  const alive = { timers: queryObjects(Timeout), sockets: queryObjects(Socket) }
  process.stdout.write(JSON.stringify({ probe: { ...seen(), alive } }) + '\n')
})
