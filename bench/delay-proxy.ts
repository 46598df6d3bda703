import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Endpoint } from '../src/storage/driver.js'

export interface DelayProxy {
  readonly endpoint: Endpoint
  stop(): void
}

/** The same server, `roundTrip` milliseconds away. */
export async function delayProxy(endpoint: Endpoint, roundTrip: number): Promise<DelayProxy> {
  const program = path.join(import.meta.dirname, 'delay-proxy-main.ts')
  const kind = endpoint.protocol === 'sftp' ? 'tcp' : 'ftp'
  const child = fork(program, [String(endpoint.port), String(roundTrip), kind], { execArgv: ['--import', 'tsx'] })
  const [port] = (await once(child, 'message')) as [number]
  return { endpoint: { ...endpoint, port }, stop: () => child.disconnect() }
}
