import { BrowserSession } from '../../../support/browser-session.js'
import { actor, FINGERPRINT } from '../../../support/services.js'
import { startWebApp, type TestWebApp } from '../../../support/web-app.js'
import type { MemoryAccounts } from '../../../sync/memory-accounts.js'
import { MemoryServers } from '../../../sync/memory-servers.js'

export interface SyncApp extends TestWebApp {
  /** What stands on the server `alpha`, whose accounts are managed. */
  readonly accounts: MemoryAccounts
  readonly alpha: number
  readonly anna: number
  /** Of anna on alpha. */
  readonly permissionId: number
  /** Of root. */
  readonly browser: BrowserSession
  /** A user with a managed permission on alpha. */
  grant(username: string): Promise<number>
  /** A plan, done. @returns its number */
  applied(): Promise<number>
}

/** root is an admin; anna is to have an account on alpha, and nobody has made a plan. */
export async function startSyncApp(): Promise<SyncApp> {
  const servers = new MemoryServers()
  const accounts = servers.add('alpha.example.com')
  const app = await startWebApp(undefined, { sync: { open: servers.open } })
  await app.addUser('root', { role: 'admin' })
  const anna = await app.addUser('anna')
  const server = { alias: 'alpha', protocol: 'sftp', host: 'alpha.example.com' } as const
  const alpha = (await app.servers.create({ ...server, trust: { fingerprint: FINGERPRINT } }, actor)).id
  await app.sync.provisioners.set(alpha, { settings: { kind: 'system' } }, actor)
  const grant = async (userId: number) =>
    (await app.permissions.grant({ userId, serverId: alpha, managed: true }, actor)).id
  return Object.assign(app, {
    ...{ accounts, alpha, anna },
    permissionId: await grant(anna),
    browser: await BrowserSession.loggedIn(app.url, 'root'),
    grant: async (username: string) => grant(await app.addUser(username)),
    applied: async () => {
      const { id } = await app.sync.synchroniser.plan(undefined, actor)
      await app.sync.synchroniser.apply(id, actor, { confirm: true })
      await app.sync.synchroniser.idle()
      return id
    },
  })
}
