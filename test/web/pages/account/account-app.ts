import { BrowserSession } from '../../../support/browser-session.js'
import { startWebApp, type TestWebApp } from '../../../support/web-app.js'

/** The pages of the own account, in the browser of the user anna. */
export interface AccountApp extends TestWebApp {
  readonly browser: BrowserSession
  /** Id. */
  readonly anna: number
}

/** @returns the app; anna has logged in */
export async function startAccountApp(): Promise<AccountApp> {
  const app = await startWebApp()
  const anna = await app.addUser('anna')
  return { ...app, anna, browser: await BrowserSession.loggedIn(app.url, 'anna') }
}
