/**
 * Loaded by the gateway's process under `--profile`, with a path for a socket behind its `?`: whoever connects names a file,
 * is answered when the CPU profile has begun, and ends their side when it is to be written there.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { createServer } from 'node:net'
import { URL } from 'node:url'

const socketPath = decodeURIComponent(new URL(import.meta.url).search.slice(1))
rmSync(socketPath, { force: true })

const server = createServer({ allowHalfOpen: true }, (client) => {
  const session = new Session()
  session.connect()
  client.once('data', async (file) => {
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    client.resume().once('end', async () => {
      const { profile } = await session.post('Profiler.stop')
      session.disconnect()
      writeFileSync(file.toString(), JSON.stringify(profile))
      client.end()
    })
    client.write('on')
  })
})
server.listen(socketPath)
server.unref()
