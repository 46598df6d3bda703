import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Activity, type RunningOperation } from '../../../src/activity/activity.js'
import { startEmbeddedFtpServer } from '../../../src/demo/embedded-ftp-server.js'
import { startEmbeddedSftpServer } from '../../../src/demo/embedded-sftp-server.js'
import type { Health } from '../../../src/health/health.js'
import { Jobs } from '../../../src/jobs/jobs.js'
import type { NewServer } from '../../../src/servers/server-input.js'
import { ProvisionError } from '../../../src/sync/provision-error.js'
import { actor, FINGERPRINT } from '../../support/services.js'
import { startWebApp, type TestWebApp } from '../../support/web-app.js'
import { MemoryServers } from '../../sync/memory-servers.js'

/** A gateway with something on every page: servers in every state, permissions, files, shares, history. */
export interface World {
  readonly app: TestWebApp
  readonly ids: {
    readonly users: Readonly<Record<'root' | 'anna' | 'bert' | 'clara' | 'emil', number>>
    readonly servers: Readonly<Record<'archive' | 'media' | 'vault' | 'fresh' | 'backup' | 'studio', number>>
    /** Of anna on archive. */
    readonly permission: number
    readonly plans: Readonly<Record<'done' | 'differences' | 'waiting', number>>
    readonly shares: Readonly<Record<'byAnna' | 'byBert' | 'file', number>>
  }
  stop(): Promise<void>
}

const CLIENT = {
  address: '192.0.2.7',
  userAgent: 'rclone/v1.60',
  requestId: 'r',
  via: 'app-password',
} as const
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M/wHwAEBgIApD5fRAAAAABJRU5ErkJggg==',
  'base64',
)
const PDF =
  '%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n' +
  '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n'

/** What runs, what is known of servers, and what became of copies: as the pages meet it in real life. */
function observed() {
  const activity = new Activity()
  const health = new Map<number, Health>()
  const running: RunningOperation[] = []
  const jobs = new Jobs(String)
  return {
    activity,
    health,
    running,
    jobs,
    overrides: () => ({
      jobs,
      activity: {
        running: () => running,
        clients: () => activity.clients(),
        seen: activity.seen.bind(activity),
        end: () => true,
      },
      health: {
        of: (id: number) => health.get(id) ?? { state: 'unknown' as const },
        history: () =>
          Promise.resolve(
            (['up', 'up', 'slow', 'up', 'down', 'down', 'up'] as const).map((state, index) => ({
              at: new Date(Date.now() - (40 - index * 5) * 60_000),
              state,
              latencyMs: 40,
            })),
          ),
      },
    }),
  }
}

export async function startWorld(): Promise<World> {
  const seen = observed()
  const managed = new MemoryServers()
  const app = await startWebApp(seen.overrides, { sync: { open: managed.open } })
  const roots = path.join(app.folder, 'files')
  await mkdir(roots)
  await writeFile(path.join(roots, 'welcome.txt'), 'Welcome.\n')
  const login = { username: 'files', password: 'a remote password', root: roots }
  const sftp = await startEmbeddedSftpServer({ users: [login] })
  const ftp = await startEmbeddedFtpServer({ users: [login] })

  const users = {
    root: await app.addUser('root', { role: 'admin' }),
    anna: await app.addUser('anna'),
    bert: await app.addUser('bert'),
    clara: await app.addUser('clara', { mustChangePassword: true }),
    emil: await app.addUser('emil'),
  }
  const admin = { adminUser: login.username, adminPassword: login.password }
  const ssh = { protocol: 'sftp', host: '127.0.0.1', port: sftp.port } as const
  const add = async (input: NewServer) => (await app.servers.create(input, actor)).id
  const servers = {
    archive: await add({ alias: 'archive', protocol: 'ftp', host: '127.0.0.1', port: ftp.port, ...admin }),
    media: await add({ alias: 'media', ...ssh, trust: { fingerprint: sftp.fingerprint }, ...admin }),
    vault: await add({ alias: 'vault', ...ssh, trust: { fingerprint: FINGERPRINT } }),
    fresh: await add({ alias: 'fresh', ...ssh, trust: { firstUse: true } }),
    backup: await add({ alias: 'backup', protocol: 'sftp', host: 'backup.example.com', trust: { firstUse: true } }),
    studio: await add({ alias: 'studio', protocol: 'ftps', host: 'studio.example.com', trust: { publicCa: true } }),
  }
  await app.servers.setEnabled(servers.backup, false, actor)
  const since = new Date(Date.now() - 3_600_000)
  seen.health.set(servers.archive, { state: 'up', since, latencyMs: 12 })
  seen.health.set(servers.media, { state: 'slow', since, latencyMs: 4200 })
  seen.health.set(servers.studio, { state: 'down', since, lastOkAt: since, reason: 'UNREACHABLE' })
  seen.health.set(servers.backup, { state: 'disabled' })

  const grant = async (userId: number, serverId: number, more: object = {}) =>
    (
      await app.permissions.grant(
        { userId, serverId, remoteUser: 'files', credentials: { password: login.password }, ...more },
        actor,
      )
    ).id
  const permission = await grant(users.anna, servers.archive)
  await grant(users.anna, servers.media, { access: 'read-only', endsAt: new Date(Date.now() + 30 * 86_400_000) })
  const rejected = await grant(users.anna, servers.vault)
  await grant(users.anna, servers.backup)
  await app.permissions.grant({ userId: users.anna, serverId: servers.studio, selfService: true }, actor)
  await grant(users.bert, servers.media)
  await app.database.usage.save([
    { permissionId: permission, lastUsedAt: since, loginRejectedAt: undefined },
    { permissionId: rejected, lastUsedAt: since, loginRejectedAt: since },
  ])

  app
    .treeOf('anna')
    .add('/archive/notes/todo.txt', 'Mount the drive.\n'.repeat(200))
    .add('/archive/notes/data.csv', 'month,orders\n2026-09,118\n')
    .add('/archive/photo.png', PIXEL)
    .add('/archive/report.pdf', PDF)
    .add('/archive/program.bin', Buffer.alloc(100))
    .add('/archive/a very long name that somebody once gave to a file without a single thought of phones.txt', 'x')
    .add('/media/song.mp3', Buffer.alloc(100))
    .folders.add('/archive/empty')
  app.treeOf('bert').add('/media/plans/june.txt', 'June\n')

  await app.appPasswords.create(users.anna, { name: 'Notebook' }, actor)
  await app.appPasswords.create(users.anna, { name: 'Phone', readOnly: true, servers: [servers.media] }, actor)
  await app.apiTokens.create(users.anna, { name: 'Nightly backup', scopes: ['files:read'] }, actor)
  const share = async (owner: number, path: string, recipient: string, kind: 'file' | 'directory') =>
    (await app.shares.create(owner, { path, recipient, note: 'As promised.' }, kind, actor)).id
  const shares = {
    byAnna: await share(users.anna, '/archive/notes', 'bert', 'directory'),
    byBert: await share(users.bert, '/media/plans', 'anna', 'directory'),
    file: await share(users.bert, '/media/plans/june.txt', 'anna', 'file'),
  }
  await app.users.setDisabled(users.bert, true, actor)
  await app.users.setDisabled(users.bert, false, actor)

  const plans = await keepInStep(app, managed, users, servers)

  seen.activity.seen({ userId: users.anna, username: 'anna' }, CLIENT)
  seen.running.push(operationOf(users.anna, 1024 * 1024), operationOf(users.anna, undefined))
  seen.jobs.start(users.anna, 'Copy notes to media', (progress) => {
    progress.total(1000)
    progress.add(400)
    progress.say('notes/todo.txt')
    return new Promise((_, reject) => progress.signal.addEventListener('abort', () => reject(new Error('stopped'))))
  })
  seen.jobs.start(users.anna, 'Move photo.png to media', () => Promise.resolve('1 file'))
  seen.jobs.start(users.anna, 'Copy report.pdf to vault', () => Promise.reject(new Error('The disk is full.')))

  const stop = async () => {
    await seen.jobs.stop()
    await app.close()
    await Promise.all([sftp.close(), ftp.close()])
  }
  return { app, ids: { users, servers, permission, plans, shares }, stop }
}

/** Accounts in every state on studio, and vault, which does not answer. */
async function keepInStep(
  { sync, permissions }: TestWebApp,
  managed: MemoryServers,
  users: World['ids']['users'],
  servers: World['ids']['servers'],
): Promise<World['ids']['plans']> {
  const there = managed.add('studio.example.com')
  const { synchroniser, provisioners } = sync
  const grant = async (userId: number, serverId: number, remoteUser: string) =>
    (await permissions.grant({ userId, serverId, remoteUser, managed: true }, actor)).id
  await provisioners.set(servers.studio, { settings: { kind: 'system' }, automatic: false }, actor)
  await provisioners.set(servers.vault, { settings: { kind: 'folder' } }, actor)
  const apply = async (serverIds: readonly number[]) => {
    const { id } = await synchroniser.plan(serverIds, actor)
    await synchroniser.apply(id, actor)
    await synchroniser.idle()
    return id
  }
  there.add('clara')
  there.add('a-former-colleague')
  await grant(users.bert, servers.studio, 'bert')
  await grant(users.clara, servers.studio, 'clara')
  const former = await grant(users.root, servers.studio, 'former')
  const done = await apply([servers.studio])
  await permissions.revoke(former, actor)
  await synchroniser.idle()
  there.homes.delete('/home/bert')
  await grant(users.root, servers.studio, 'root-of-studio')
  const differences = (await synchroniser.plan(undefined, actor)).id
  const { id: waiting } = await synchroniser.plan([servers.studio], actor)
  there.fault = () => new ProvisionError('UNREACHABLE', 'studio.example.com does not answer.')
  await synchroniser.apply(waiting, actor)
  await synchroniser.idle()
  return { done, differences, waiting }
}

function operationOf(userId: number, total: number | undefined): RunningOperation {
  return {
    ...{ id: `${total ?? 0}`, userId, user: 'anna', alias: 'archive', path: '/archive/film.mp4', target: undefined },
    ...{ kind: 'write', bytes: 512 * 1024, total, startedAt: new Date(), client: CLIENT },
  }
}
