import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { GatewayProcess } from '../../support/gateway.js'
import { eventually } from '../../support/upload.js'

/** What a gateway process holds, after a garbage collection. */
export interface Holdings {
  readonly fds: number
  readonly heapUsed: number
  readonly timers: number
  readonly sockets: number
}

/** For `NODE_OPTIONS` of a gateway whose holdings are asked for. */
export const PROBE = `--import=${path.join(import.meta.dirname, 'probe.mjs')}`

interface Probed {
  readonly probe: { readonly heapUsed: number; readonly resources: Readonly<Record<string, number>> }
}

export async function holdingsOf(gateway: GatewayProcess): Promise<Holdings> {
  const probes = () => gateway.log.split('\n').filter((line) => line.startsWith('{"probe"'))
  const before = probes().length
  process.kill(gateway.pid, 'SIGUSR2')
  await eventually('the probe answers', 20, () => Promise.resolve(probes().length > before))
  const { probe } = JSON.parse(probes().at(-1) ?? '') as Probed
  return {
    fds: (await readdir(`/proc/${gateway.pid}/fd`)).length,
    heapUsed: probe.heapUsed,
    timers: probe.resources['Timeout'] ?? 0,
    sockets: (probe.resources['TCPSocketWrap'] ?? 0) + (probe.resources['TLSWrap'] ?? 0),
  }
}
