import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { applyCluster } from '../cli/apply-cluster.js'
import { parseCluster } from '../cli/cluster-file.js'
import { withServices } from '../cli/services.js'
import { loadConfig, type Config } from '../config/config.js'
import { createContext } from '../context.js'
import { AppError, messageOf, ValidationError } from '../errors.js'
import { createLogger } from '../logger.js'
import { runUntilStopped } from '../main.js'
import { newKeyPair } from '../storage/sftp/key-pair.js'
import { startEmbeddedFtpServer } from './embedded-ftp-server.js'
import { startEmbeddedSftpServer } from './embedded-sftp-server.js'
import { mountInstructions } from './mount-instructions.js'
import { makeSampleFiles } from './sample-files.js'

/** What the demo makes once and keeps, so that a mounted drive still works after a restart. */
interface Kept {
  readonly password: string
  readonly adminPassword: string
  readonly hostKey: string
}

/** The product with two servers of its own: everything stays in one folder and on this machine. */
async function main(): Promise<void> {
  const config = loadConfig({
    FTPCLUSTER_DATA_DIR: './data/demo',
    FTPCLUSTER_HOST: '127.0.0.1',
    FTPCLUSTER_LOG_LEVEL: 'warn',
    ...process.env,
    FTPCLUSTER_ALLOW_NETWORKS: '127.0.0.0/8,::1/128',
  })
  await assertPortIsFree(config)
  const folder = config.dataDir
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const kept = await keep(join(folder, 'demo.json'))
  const user = { username: 'user1', password: kept.password }
  const roots = { ftp: join(folder, 'ftp-files'), sftp: join(folder, 'sftp-files') }
  await makeSampleFiles(roots)
  const ftp = await startEmbeddedFtpServer({ users: [{ ...user, root: roots.ftp }] })
  const sftp = await startEmbeddedSftpServer({ users: [{ ...user, root: roots.sftp }], hostKey: kept.hostKey })

  const cluster = {
    servers: [
      { alias: 'server2', protocol: 'ftp', host: '127.0.0.1', port: ftp.port },
      {
        alias: 'server3',
        protocol: 'sftp',
        host: '127.0.0.1',
        port: sftp.port,
        trust: { fingerprint: sftp.fingerprint },
      },
    ],
    users: [user, { username: 'admin', password: kept.adminPassword, admin: true }],
    permissions: ['server2', 'server3'].map((server) => ({ user: user.username, server, password: kept.password })),
  }
  await withServices(
    config,
    () => {},
    (services) =>
      applyCluster(services, parseCluster(JSON.stringify(cluster), { env: {}, folder }), {
        kind: 'system',
        part: 'demo',
      }),
  )

  const log = createLogger({ level: config.logLevel })
  const context = await createContext(config, log)
  const { url } = await context.gateway.start()
  const stopped = runUntilStopped(context, log)
  console.log(mountInstructions(url, user, { username: 'admin', password: kept.adminPassword }))
  await stopped
  await Promise.all([ftp.close(), sftp.close()])
}

/**
 * Before anything is changed: a demo that runs already, on the same folder, would be led to servers that end at once.
 * @throws ValidationError
 */
async function assertPortIsFree({ host, port }: Pick<Config, 'host' | 'port'>): Promise<void> {
  const probe = createServer()
  try {
    await once(probe.listen(port, host), 'listening')
  } catch (error) {
    const message = `${port} on ${host} cannot be listened on (${messageOf(error)}); set it to a free port, or to 0`
    throw new ValidationError([{ field: 'FTPCLUSTER_PORT', message }])
  }
  await once(probe.close(), 'close')
}

async function keep(file: string): Promise<Kept> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Kept
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const kept: Kept = {
    password: randomBytes(9).toString('base64url'),
    adminPassword: randomBytes(9).toString('base64url'),
    hostKey: newKeyPair().privateKey,
  }
  await writeFile(file, JSON.stringify(kept), { mode: 0o600 })
  return kept
}

process.umask(0o077)
try {
  await main()
} catch (error) {
  if (!(error instanceof AppError)) throw error
  console.error(error.message)
  process.exit(1)
}
