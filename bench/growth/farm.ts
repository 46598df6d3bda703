import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Endpoint } from '../../src/storage/driver.js'

export interface Farm {
  readonly endpoints: readonly Endpoint[]
  /** Takes connections and never answers. */
  readonly silent: Endpoint
  /** The folder that every login at every server sees. */
  readonly root: string
  stop(): Promise<void>
}

export function farmLogin(user: number): { readonly username: string; readonly password: string } {
  return { username: `login${user}`, password: `secret of login${user}` }
}

/** Many FTP servers that cost little, in one process: what is measured is the gateway in front of them. */
export async function startFarm(servers: number, logins: number): Promise<Farm> {
  const root = await mkdtemp(path.join(tmpdir(), 'ftpcluster-bench-farm-'))
  const program = path.join(import.meta.dirname, 'farm-main.ts')
  const child = fork(program, [root, String(servers), String(logins)], { execArgv: ['--import', 'tsx'] })
  const [told] = (await once(child, 'message')) as [{ readonly ports: readonly number[]; readonly silent: number }]
  const at = (port: number): Endpoint => ({ protocol: 'ftp', host: '127.0.0.1', port, trust: { kind: 'none' } })
  return {
    endpoints: told.ports.map(at),
    silent: at(told.silent),
    root,
    async stop() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
      await rm(root, { recursive: true, force: true })
    },
  }
}
