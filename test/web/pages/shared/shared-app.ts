import { BrowserSession } from '../../../support/browser-session.js'
import { actor, FINGERPRINT } from '../../../support/services.js'
import { startWebApp, type TestWebApp } from '../../../support/web-app.js'

export interface SharedApp extends TestWebApp {
  readonly anna: number
  readonly bob: number
  readonly permissionId: number
  /** Somebody's browser, logged in. */
  browser(username: string): Promise<BrowserSession>
  /** anna shares something with bob. @returns the id of the share */
  share(path: string, kind: 'file' | 'directory'): Promise<number>
}

/** anna has a server with files, bob has nothing, root is an admin. */
export async function startSharedApp(): Promise<SharedApp> {
  const app = await startWebApp()
  const anna = await app.addUser('anna')
  const bob = await app.addUser('bob')
  await app.addUser('root', { role: 'admin' })
  const server = { alias: 's2', protocol: 'sftp', host: 'files.test', trust: { fingerprint: FINGERPRINT } } as const
  const serverId = (await app.servers.create(server, actor)).id
  const permissionId = (await app.permissions.grant({ userId: anna, serverId }, actor)).id
  const tree = app.treeOf('anna')
  tree.add('/s2/docs/a b.txt', 'hello').add('/s2/docs/sub/deep.txt', 'deep').add('/s2/private.txt', 'private')
  return Object.assign(app, {
    anna,
    bob,
    permissionId,
    browser: (username: string) => BrowserSession.loggedIn(app.url, username),
    share: async (path: string, kind: 'file' | 'directory') =>
      (await app.shares.create(anna, { path, recipient: 'bob' }, kind, actor)).id,
  })
}
