import { BrowserSession } from '../../../support/browser-session.js'
import { startWebApp, type TestWebApp } from '../../../support/web-app.js'

/** The pages of users, in the browser of an admin. */
export interface UsersApp extends TestWebApp {
  readonly browser: BrowserSession
  readonly rootId: number
  /** What the audit log tells, the newest first. */
  types(): Promise<string[]>
}

/** @returns the app with the admin `root`, who has logged in */
export async function startUsersApp(): Promise<UsersApp> {
  const app = await startWebApp()
  const rootId = await app.addUser('root', { role: 'admin' })
  return {
    ...app,
    rootId,
    browser: await BrowserSession.loggedIn(app.url, 'root'),
    types: async () => (await app.audit.list()).map(({ type, actorName }) => `${type} by ${actorName}`),
  }
}
