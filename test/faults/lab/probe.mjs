// Imported into the gateway by NODE_OPTIONS: on SIGUSR2 it collects garbage and prints what the process holds.
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')
process.on('SIGUSR2', () => {
  gc()
  gc()
  const resources = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  const { heapUsed, external } = process.memoryUsage()
  process.stdout.write(JSON.stringify({ probe: { heapUsed, external, resources } }) + '\n')
})
