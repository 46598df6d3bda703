import { messageOf } from '../errors.js'
import type { Login, Trust } from '../storage/driver.js'
import type { Drivers } from '../storage/drivers.js'
import { StorageError } from '../storage/errors.js'
import { normalizeFingerprint } from './fingerprint.js'
import type { Server } from './server.js'
import { endpointOf } from './server-row.js'

export interface Phase {
  readonly name: 'connect' | 'trust' | 'login' | 'list'
  /** Milliseconds. */
  readonly took: number
  readonly ok: boolean
  /** Of a `StorageError`, where it failed with one. */
  readonly code?: string
  /** What was found, or why it failed. */
  readonly detail: string
}

export interface Probe {
  readonly phases: readonly Phase[]
  /** All phases that could be tried went well. */
  readonly ok: boolean
  /** What the server showed; undefined for plain FTP. */
  readonly fingerprint: string | undefined
  /** Whether a login was tried and worked. */
  readonly loggedIn: boolean
}

/**
 * Tries a server step by step, and stops at the first step that fails. The login is only sent to a server that is trusted,
 * or to the one just seen where its first use is awaited.
 */
export async function probeServer(
  drivers: Drivers,
  server: Server,
  login: Login | undefined,
  onPhase: (phase: Phase) => void,
): Promise<Probe> {
  const phases: Phase[] = []
  let fingerprint: string | undefined
  const step = async (name: Phase['name'], work: () => Promise<string>) => {
    const start = performance.now()
    const phase = await work().then(
      (detail) => ({ ok: true, detail }),
      (error: unknown) => ({ ok: false, ...explain(error) }),
    )
    phases.push({ name, took: performance.now() - start, ...phase })
    onPhase(phases.at(-1) as Phase)
    return phase.ok
  }
  const finish = (loggedIn: boolean): Probe => ({ phases, ok: phases.every(({ ok }) => ok), fingerprint, loggedIn })

  const driver = drivers.driverFor(server.protocol)
  const endpoint = endpointOf(server)
  const connected = await step('connect', async () => {
    const socket = await drivers.dial(server.host, server.port, {})
    const address = socket.remoteAddress ?? server.host
    socket.destroy()
    return `${address} port ${server.port}`
  })
  if (!connected) return finish(false)

  const trusted = await step('trust', async () => {
    fingerprint = await driver.fingerprint(endpoint)
    return judgeTrust(server, fingerprint)
  })
  if (!trusted || !login) return finish(false)

  const trust: Trust =
    server.trust.kind === 'first-use' ? { kind: 'pinned', fingerprints: [fingerprint ?? ''] } : endpoint.trust
  let entries: (() => Promise<number>) | undefined
  let close = () => {}
  try {
    const loggedIn = await step('login', async () => {
      const connection = await driver.connect({ ...endpoint, trust }, login)
      close = () => connection.close()
      entries = async () => (await connection.list(connection.home)).entries.length
      return `as ${login.username}, landed in ${connection.home}`
    })
    if (loggedIn && entries) await step('list', async () => `${await entries?.()} entries`)
    return finish(loggedIn)
  } finally {
    close()
  }
}

/** @throws StorageError when the server is not the one that is trusted */
function judgeTrust({ trust, protocol }: Server, shown: string | undefined): string {
  switch (trust.kind) {
    case 'none':
      return 'plain ftp: nothing to check'
    case 'public-ca':
      return `${shown ?? 'no fingerprint'}, judged by the public CAs at login`
    case 'first-use':
      return `${shown ?? 'no fingerprint'}, first use`
    case 'pinned':
      if (shown !== undefined && trust.fingerprints.includes(normalizeFingerprint(shown) ?? '')) return shown
      throw new StorageError(
        'UNTRUSTED',
        `The ${protocol === 'sftp' ? 'host key' : 'certificate'} ${shown ?? ''} is not the one that is trusted ` +
          `(${trust.fingerprints.join(', ')}).`,
      )
  }
}

function explain(error: unknown): { detail: string; code?: string } {
  if (!(error instanceof StorageError)) return { detail: messageOf(error) }
  return { detail: `${error.code}: ${error.message}`, code: error.code }
}
