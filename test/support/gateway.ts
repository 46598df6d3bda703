import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { Endpoint, Login } from '../../src/storage/driver.js'
import { freePort } from '../lab/ports.js'
import { must, run, type RunResult } from '../lab/run.js'

const ROOT = path.join(import.meta.dirname, '../..')
const CLI = path.join(ROOT, 'dist/cli/main.js')

const READY = 'FTPCluster is ready'

/** Builds the product when a source changed, once per test run: what users run starts faster than its sources. */
let built: Promise<unknown> | undefined

/** What the cluster file of a gateway says. */
export interface Cluster {
  readonly servers: readonly { readonly alias: string; readonly endpoint: Endpoint }[]
  readonly users: readonly ({ readonly username: string; readonly admin?: boolean } & (
    { readonly password: string } | { readonly passwordHash: string }
  ))[]
  readonly permissions: readonly {
    readonly user: string
    readonly server: string
    readonly login: Login
    readonly access?: 'read-write' | 'read-only'
    readonly root?: string
  }[]
}

export interface GatewayOptions {
  /** `FTPCLUSTER_*` variables besides those that make it run in a folder of its own on 127.0.0.1. */
  readonly env?: Readonly<Record<string, string>>
  /** A program that runs it, and its arguments: `prlimit --nofile=128`. */
  readonly under?: readonly string[]
  /** Its output goes straight into this file. */
  readonly logFile?: string
  /** Options of Node for `ftpcluster serve`. */
  readonly nodeOptions?: readonly string[]
}

/** The product as its users run it: `ftpcluster apply` and `ftpcluster serve`, in processes of their own. */
export class GatewayProcess {
  #child: ChildProcess | undefined
  #log: string[] = []
  readonly #lines = new EventEmitter()

  private constructor(
    readonly folder: string,
    readonly port: number,
    private readonly env: NodeJS.ProcessEnv,
    private readonly under: readonly string[],
    private readonly logFile: string | undefined,
    private readonly nodeOptions: readonly string[],
  ) {}

  /** Applies the cluster file, serves, and waits until it is ready. */
  static async start(
    cluster: Cluster,
    { env = {}, under = [], logFile, nodeOptions = [] }: GatewayOptions = {},
  ): Promise<GatewayProcess> {
    built ??= must(process.execPath, [path.join(ROOT, 'src/prepare.mjs')], { timeout: 300_000 })
    await built
    const folder = await mkdtemp(path.join(tmpdir(), 'ftpcluster-gateway-'))
    const port = await freePort()
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('FTPCLUSTER_'))
    const own = {
      ...Object.fromEntries(inherited),
      FTPCLUSTER_HOST: '127.0.0.1',
      FTPCLUSTER_PORT: String(port),
      FTPCLUSTER_DATA_DIR: path.join(folder, 'data'),
      FTPCLUSTER_ADMIN_PASSWORD: 'admin-of-the-test',
      FTPCLUSTER_ALLOW_NETWORKS: '127.0.0.0/8,::1/128',
      ...env,
    }
    const gateway = new GatewayProcess(folder, port, own, under, logFile, nodeOptions)
    try {
      await gateway.apply(cluster)
      await gateway.serve()
    } catch (error) {
      await gateway.stop()
      throw error
    }
    return gateway
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** @param remotePath below the folder of the server, with slashes; its segments are encoded here */
  dav(alias: string, remotePath = ''): string {
    return `${this.url}/dav/${[alias, ...remotePath.split('/')].map(encodeURIComponent).join('/')}`
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('The gateway is not running.')
    return this.#child.pid
  }

  /** What it has logged, one JSON object a line. */
  get log(): string {
    return this.#log.join('\n')
  }

  /** What fits in the log, as soon as it is there. */
  async logged(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.log)?.[0]
      if (found !== undefined) return found
      await once(this.#lines, 'line')
    }
  }

  /** Runs `ftpcluster` with the configuration of this gateway, beside it when it serves. */
  cli(...args: string[]): Promise<RunResult> {
    const [command = '', ...rest] = [...this.under, process.execPath, CLI, ...args]
    return run(command, rest, { env: this.env, timeout: 60_000 })
  }

  async apply(cluster: Cluster): Promise<void> {
    const file = path.join(this.folder, 'cluster.yaml')
    // JSON is YAML.
    await writeFile(file, JSON.stringify(clusterFile(cluster)), { mode: 0o600 })
    const { code, stdout, stderr } = await this.cli('apply', file)
    if (code !== 0) throw new Error(`ftpcluster apply ended with ${code}\n${stdout}${stderr}`)
  }

  /** Starts it (again), on the same port with the same data. */
  async serve(): Promise<void> {
    const program = [...this.under, process.execPath, ...this.nodeOptions, CLI, 'serve']
    // It must not outlive a test run that is killed.
    const guarded = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', ...program] : program
    const [command = '', ...args] = guarded
    const output = this.logFile === undefined ? 'pipe' : openSync(this.logFile, 'a')
    const child = spawn(command, args, { env: this.env, stdio: ['ignore', output, output] })
    if (typeof output === 'number') closeSync(output)
    this.#child = child
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`ftpcluster serve ended with ${code}\n${this.log}`)))
    })
    failed.catch(() => undefined)
    await Promise.race([failed, this.logFile === undefined ? this.#said(child) : this.#written(this.logFile)])
  }

  #said({ stdout, stderr }: ChildProcess): Promise<void> {
    return new Promise((resolve) => {
      if (stdout === null || stderr === null) throw new Error('Its output is piped.')
      const keep = (line: string) => {
        this.#log.push(line)
        this.#lines.emit('line')
      }
      createInterface({ input: stdout }).on('line', (line) => {
        keep(line)
        if (line.includes(READY)) resolve()
      })
      createInterface({ input: stderr }).on('line', keep)
    })
  }

  async #written(file: string): Promise<void> {
    for (const begun = Date.now(); Date.now() - begun < 30_000; await delay(20)) {
      if ((await readFile(file, 'utf8')).includes(READY)) return
    }
    throw new Error(`It was not ready within 30 seconds: ${await readFile(file, 'utf8')}`)
  }

  /** Asks it to end, as `systemctl stop` does, and waits. */
  async end(): Promise<void> {
    await this.#signal('SIGTERM')
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    await this.#signal('SIGKILL')
  }

  /** How it ends, when something else ends it: its exit code, or the signal. */
  async ended(): Promise<number | string | null> {
    const child = this.#child
    if (child === undefined) return null
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return child.exitCode ?? child.signalCode
  }

  async #signal(name: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(name)
    await ended
  }

  /** The memory it has now, in bytes. Linux only. */
  async residentMemory(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
  }

  /** The most memory it has had so far, in bytes. Linux only. */
  async peakMemory(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
  }

  /** What it has read so far, from sockets and files together. Linux only. */
  async bytesRead(): Promise<number> {
    const io = await readFile(`/proc/${this.pid}/io`, 'utf8')
    return Number(/^rchar: (\d+)/m.exec(io)?.[1])
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.end()
    await rm(this.folder, { recursive: true, force: true })
  }
}

function clusterFile({ servers, users, permissions }: Cluster) {
  return {
    servers: servers.map(({ alias, endpoint: { protocol, host, port, trust } }) => ({
      alias,
      protocol,
      host,
      port,
      ...(trust.kind === 'pinned' ? { trust: { fingerprint: trust.fingerprints } } : {}),
      ...(trust.kind === 'public-ca' ? { trust: { publicCa: true } } : {}),
    })),
    users,
    permissions: permissions.map(({ login: { username, ...secret }, user, server, access, root }) => ({
      user,
      server,
      remoteUser: username,
      ...(secret.password === undefined ? {} : { password: secret.password }),
      ...(secret.privateKey === undefined ? {} : { privateKey: secret.privateKey }),
      ...(secret.passphrase === undefined ? {} : { passphrase: secret.passphrase }),
      ...(access === undefined ? {} : { access }),
      ...(root === undefined ? {} : { root }),
    })),
  }
}
