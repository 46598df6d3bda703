// Imported into the gateway by NODE_OPTIONS: on SIGUSR2 it collects garbage and prints what the process holds.
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

process.on('SIGUSR2', () => {
  gc()
  gc()
  const resources = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  const { heapUsed, external } = process.memoryUsage()
  // Also those that keep no process alive, which are no active resources.
  const alive = { timers: queryObjects(Timeout), sockets: queryObjects(Socket) }
  process.stdout.write(JSON.stringify({ probe: { heapUsed, external, resources, alive } }) + '\n')
})
