import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../test/lab/ports.js'
import { labPrograms } from '../test/lab/programs.js'
import { must } from '../test/lab/run.js'
import type { Drive } from './drive.js'
import type { Server } from './stage.js'

const USER = 'bench'
const PASSWORD = 'peer-password'

/** `rclone serve webdav` over one `combine` tree of the same servers. */
export class Peer implements Drive {
  readonly name = 'rclone'
  readonly prefix = '/'
  #child: ChildProcess | undefined

  private constructor(
    private readonly program: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly folder: string,
    private readonly cacheMode: 'off' | 'writes',
    readonly port: number,
  ) {}

  static async start(servers: readonly Server[], cacheMode: 'off' | 'writes'): Promise<Peer> {
    const { root, env } = await labPrograms()
    const program = `${root}/usr/bin/rclone`
    const folder = await mkdtemp(path.join(tmpdir(), 'ftpcluster-bench-rclone-'))
    const obscured = new Map<string, string>()
    for (const { login } of servers) {
      const secret = login.password ?? ''
      if (!obscured.has(secret)) obscured.set(secret, (await must(program, ['obscure', secret], { env })).trim())
    }
    const config = path.join(folder, 'rclone.conf')
    await writeFile(config, configOf(servers, obscured), { mode: 0o600 })
    const own = { ...env, HOME: folder, RCLONE_CONFIG: config }
    const peer = new Peer(program, own, folder, cacheMode, await freePort())
    await peer.serve()
    return peer
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  authorization(): string {
    return `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`
  }

  async lastWords(): Promise<string> {
    return (await readFile(path.join(this.folder, 'log'), 'utf8')).split('\n').slice(-8).join('\n')
  }

  async stop(): Promise<void> {
    await this.end()
    await rm(this.folder, { recursive: true, force: true })
  }

  async serve(): Promise<void> {
    const address = ['--addr', `127.0.0.1:${this.port}`, '--user', USER, '--pass', PASSWORD]
    const cache = ['--vfs-cache-mode', this.cacheMode, '--cache-dir', path.join(this.folder, 'cache')]
    const writeBack = this.cacheMode === 'writes' ? ['--vfs-write-back', '0s'] : []
    const log = await open(path.join(this.folder, 'log'), 'a')
    const args = ['--pdeathsig', 'KILL', this.program, 'serve', 'webdav', 'all:', ...address, ...cache, ...writeBack]
    const child = spawn('/usr/bin/setpriv', args, { env: this.env, stdio: ['ignore', log.fd, log.fd] })
    await log.close()
    this.#child = child
    const deadline = AbortSignal.timeout(15_000)
    while (!(await accepts(this.port))) {
      if (child.exitCode !== null || deadline.aborted) throw new Error('rclone serve webdav did not start.')
      await delay(2)
    }
  }

  async end(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
}

function configOf(servers: readonly Server[], obscured: ReadonlyMap<string, string>): string {
  const sections = servers.map(({ name, endpoint, login }) => [
    `[${name}]`,
    `type = ${endpoint.protocol === 'sftp' ? 'sftp' : 'ftp'}`,
    `host = ${endpoint.host}`,
    `port = ${endpoint.port}`,
    `user = ${login.username}`,
    `pass = ${obscured.get(login.password ?? '')}`,
    ...(endpoint.protocol === 'ftps' ? ['explicit_tls = true', 'no_check_certificate = true'] : []),
  ])
  const all = ['[all]', 'type = combine', `upstreams = ${servers.map(({ name }) => `${name}=${name}:`).join(' ')}`]
  return [...sections, all].map((lines) => lines.join('\n') + '\n').join('\n')
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
