import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { GatewayProcess } from '../../support/gateway.js'
import { eventually } from '../../support/upload.js'
import type { Rig } from './rig.js'

/** What a gateway process holds, after a garbage collection. */
export interface Holdings {
  readonly fds: number
  /** Timers and sockets that keep it running. */
  readonly timers: number
  readonly sockets: number
  /** All that are reachable in its memory; 0 unless asked for. */
  readonly timerObjects: number
  readonly socketObjects: number
  /** Connections to servers as its pools tell. */
  readonly pooled: number
  /** Bytes. */
  readonly heapUsed: number
  readonly external: number
  readonly rss: number
}

/** For `NODE_OPTIONS` of a gateway whose holdings are asked for. */
export const PROBE = `--import=${path.join(import.meta.dirname, 'probe.mjs')}`

interface Probed {
  readonly probe: {
    readonly heapUsed: number
    readonly external: number
    readonly resources: Readonly<Record<string, number>>
    readonly alive?: { readonly timers: number; readonly sockets: number }
  }
}

/** @param thorough counts objects too, which holds the gateway up */
export async function holdingsOf(gateway: GatewayProcess, thorough = false): Promise<Holdings> {
  const probes = () => gateway.log.split('\n').filter((line) => line.startsWith('{"probe"'))
  const before = probes().length
  const pooled = await pooledIn(gateway)
  process.kill(gateway.pid, thorough ? 'SIGWINCH' : 'SIGUSR2')
  await eventually('the probe answers', 60, () => Promise.resolve(probes().length > before))
  const { probe } = JSON.parse(probes().at(-1) ?? '') as Probed
  return {
    fds: (await readdir(`/proc/${gateway.pid}/fd`)).length,
    timers: probe.resources['Timeout'] ?? 0,
    sockets: (probe.resources['TCPSocketWrap'] ?? 0) + (probe.resources['TLSWrap'] ?? 0),
    timerObjects: probe.alive?.timers ?? 0,
    socketObjects: probe.alive?.sockets ?? 0,
    pooled,
    heapUsed: probe.heapUsed,
    external: probe.external,
    rss: await gateway.residentMemory(),
  }
}

async function pooledIn({ url }: GatewayProcess): Promise<number> {
  const answer = await fetch(`${url}/metrics`, { headers: { Connection: 'close' } })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`/metrics answers ${answer.status}.`)
  const values = [...text.matchAll(/^ftpcluster_pool_connections\{.*\} (\d+)$/gm)].map((match) => Number(match[1]))
  return values.reduce((sum, value) => sum + value, 0)
}

/** What it holds with no connection to any server. */
export async function holdingsAtRest({ gateway, stations }: Rig): Promise<Holdings> {
  const open = () => stations.filter(({ proxy }) => proxy.controls > 0).map(({ alias }) => alias)
  await eventually('no connection to a server', 60, () => Promise.resolve(open().length === 0)).catch(
    (error: unknown) => {
      throw new Error(`Connections stay open to ${open().join(', ')}.`, { cause: error })
    },
  )
  return holdingsOf(gateway, true)
}

/** What grew by more than it may: counts by 5, the heap by `heap` bytes. RSS is the allocator's. */
export function grown(before: Holdings, after: Holdings, heap: number): string[] {
  const counts = ['fds', 'timers', 'sockets', 'timerObjects', 'socketObjects', 'pooled'] as const
  const found = counts
    .filter((name) => after[name] > before[name] + 5)
    .map((name) => `${name} ${before[name]} > ${after[name]}`)
  if (after.heapUsed > before.heapUsed + heap) found.push(`heap ${mb(before.heapUsed)} > ${mb(after.heapUsed)}`)
  return found
}

export function inWords(before: Holdings, after: Holdings): string {
  const counts = ['fds', 'timers', 'sockets', 'timerObjects', 'socketObjects', 'pooled'] as const
  const bytes = ['heapUsed', 'external', 'rss'] as const
  return [
    ...counts.map((name) => `${name} ${before[name]} > ${after[name]}`),
    ...bytes.map((name) => `${name} ${mb(before[name])} > ${mb(after[name])}`),
  ].join(', ')
}

export function mb(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}
