import { Activity } from '../../../src/activity/activity.js'
import type { WebDependencies } from '../../../src/web/dependencies.js'
import { BrowserSession } from '../../support/browser-session.js'
import { actor, FINGERPRINT } from '../../support/services.js'
import { startWebApp, type TestWebApp } from '../../support/web-app.js'

/** A client whose name is no HTML. */
export const CLIENT = {
  address: '192.0.2.7',
  userAgent: '<b>Explorer</b>',
  requestId: 'r',
  via: 'app-password',
} as const

/** What administrators oversee: anna, who is there, may use the server alpha. */
export interface OverseenApp extends TestWebApp {
  /** Of the admin `root`. */
  readonly browser: BrowserSession
  readonly anna: number
  readonly permission: number
}

/** @param overrides told who is there */
export async function startOverseenApp(
  overrides: (activity: Activity) => Partial<WebDependencies> = () => ({}),
): Promise<OverseenApp> {
  const activity = new Activity()
  const app = await startWebApp(() => overrides(activity))
  await app.addUser('root', { role: 'admin' })
  const anna = await app.addUser('anna')
  activity.seen({ userId: anna, username: 'anna' }, CLIENT)
  const trust = { fingerprint: FINGERPRINT }
  const server = { alias: 'alpha', protocol: 'sftp', host: 'files.example.com', trust } as const
  const { id: serverId } = await app.servers.create(server, actor)
  const { id: permission } = await app.permissions.grant({ userId: anna, serverId, remoteUser: '=cmd()' }, actor)
  return { ...app, browser: await BrowserSession.loggedIn(app.url, 'root'), anna, permission }
}
