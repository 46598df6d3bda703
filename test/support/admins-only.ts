import { expect } from 'chai'
import { BrowserSession } from './browser-session.js'

export interface Guarded {
  readonly pages?: readonly string[]
  readonly forms?: readonly string[]
}

/**
 * Looks at pages and sends forms as a user who is no admin, and looks at the pages as nobody.
 * @throws AssertionError when somebody gets in
 */
export async function expectAdminsOnly(
  url: string,
  username: string,
  { pages = [], forms = [] }: Guarded,
): Promise<void> {
  const visitor = await BrowserSession.loggedIn(url, username)
  for (const path of pages) {
    expect((await visitor.get(path)).status, path).to.equal(403)
    expect((await new BrowserSession(url).get(path, { redirect: 'manual' })).path, path).to.match(/^\/login/)
  }
  for (const path of forms) {
    expect((await visitor.submit(path, {}, { from: '/login' })).status, path).to.equal(403)
  }
}
