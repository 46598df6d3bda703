import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A port on 127.0.0.1 that nothing uses, below the range from which the kernel picks ports itself: so a daemon that is
 * down for a moment finds it free again.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 12_000 + Math.floor(Math.random() * 20_000)
    const probe = createServer()
    const outcome = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!outcome) continue
    probe.close()
    await once(probe, 'close')
    return port
  }
  throw new Error('No free port between 12000 and 32000.')
}
