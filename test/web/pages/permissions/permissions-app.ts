import { BrowserSession, type Visit } from '../../../support/browser-session.js'
import { actor, FINGERPRINT } from '../../../support/services.js'
import { startWebApp, type TestWebApp } from '../../../support/web-app.js'

/** The pages of permissions, in the browser of an admin; ids of the users anna and bert, and of the servers alpha and beta. */
export interface PermissionsApp extends TestWebApp {
  readonly browser: BrowserSession
  readonly anna: number
  readonly bert: number
  readonly alpha: number
  readonly beta: number
  /** Sends the form that grants. */
  grant(users: readonly number[], servers: readonly number[], fields?: Readonly<Record<string, string>>): Promise<Visit>
  /** What anna has on alpha, with a password. @returns the id */
  addPermission(): Promise<number>
}

/** @returns the app with the admin `root`, who has logged in; nothing is granted */
export async function startPermissionsApp(): Promise<PermissionsApp> {
  const app = await startWebApp()
  await app.addUser('root', { role: 'admin' })
  const anna = await app.addUser('anna')
  const bert = await app.addUser('bert')
  const addServer = async (alias: string) => {
    const trust = { fingerprint: FINGERPRINT }
    return (await app.servers.create({ alias, protocol: 'sftp', host: 'files.example.com', trust }, actor)).id
  }
  const alpha = await addServer('alpha')
  const beta = await addServer('beta')
  const browser = await BrowserSession.loggedIn(app.url, 'root')
  return {
    ...app,
    browser,
    anna,
    bert,
    alpha,
    beta,
    grant: (users, servers, fields = {}) =>
      browser.submit(
        '/permissions',
        { users: users.map(String), servers: servers.map(String), access: 'read-write', ...fields },
        { from: '/permissions/new' },
      ),
    addPermission: async () => {
      const credentials = { password: 'geheim-1' }
      return (await app.permissions.grant({ userId: anna, serverId: alpha, root: 'x', credentials }, actor)).id
    },
  }
}
