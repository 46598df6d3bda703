import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startEmbeddedSftpServer, type EmbeddedSftpServer } from '../../../../src/demo/embedded-sftp-server.js'
import type { NewServer } from '../../../../src/servers/server-input.js'
import type { Server } from '../../../../src/servers/server.js'
import type { WebDependencies } from '../../../../src/web/dependencies.js'
import { BrowserSession, type Visit } from '../../../support/browser-session.js'
import { actor, FINGERPRINT } from '../../../support/services.js'
import { startWebApp, type TestWebApp } from '../../../support/web-app.js'

/** What the form of a server is filled in with. */
export const FORM = { alias: 'alpha', protocol: 'sftp', host: 'files.example.com', port: '', trust: 'fingerprint' }

/** The pages of servers, in the browser of an admin. */
export interface ServersApp extends TestWebApp {
  readonly browser: BrowserSession
  /** Sends the form of a new server. */
  create(fields: object): Promise<Visit>
  /** The server alpha, known by a fingerprint, unless said otherwise. */
  add(changes?: Partial<NewServer>): Promise<Server>
}

/** @returns the app with the admin `root`, who has logged in, and the user `anna` */
export async function startServersApp(overrides: Partial<WebDependencies> = {}): Promise<ServersApp> {
  const app = await startWebApp(() => overrides)
  await app.addUser('root', { role: 'admin' })
  await app.addUser('anna')
  const browser = await BrowserSession.loggedIn(app.url, 'root')
  return {
    ...app,
    browser,
    create: (fields) => browser.submit('/servers', { ...FORM, ...fields }, { from: '/servers/new' }),
    add: (changes = {}) =>
      app.servers.create(
        {
          alias: 'alpha',
          protocol: 'sftp',
          host: 'files.example.com',
          trust: { fingerprint: FINGERPRINT },
          ...changes,
        },
        actor,
      ),
  }
}

/** A server that runs. */
export interface LiveServer {
  readonly embedded: EmbeddedSftpServer
  readonly id: number
  /** Its fingerprint, as a page shows it. */
  readonly shown: string
}

/** @returns a server on loopback that nobody has confirmed; the caller closes it */
export async function addLiveServer(app: ServersApp): Promise<LiveServer> {
  const root = join(app.folder, 'files')
  await mkdir(root)
  await writeFile(join(root, 'secret-name.txt'), 'x')
  const embedded = await startEmbeddedSftpServer({ users: [{ username: 'adm', password: 'geheim-1', root }] })
  const { id } = await app.add({
    host: '127.0.0.1',
    port: embedded.port,
    trust: { firstUse: true },
    adminUser: 'adm',
    adminPassword: 'geheim-1',
  })
  return { embedded, id, shown: embedded.fingerprint.replace(/=+$/, '') }
}
