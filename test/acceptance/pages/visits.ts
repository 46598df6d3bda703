import { Secret, TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import { StorageError } from '../../../src/storage/errors.js'
import { PASSWORD } from '../../support/web-app.js'
import type { World } from './world.js'

/** Whose browser it is: nobody is logged in there, or somebody of the world is. */
export type Visitor = 'nobody' | 'root' | 'anna' | 'clara' | 'emil'

export interface Visit {
  /** What the page is, for whoever reads that it is broken. */
  readonly name: string
  readonly as: Visitor
  readonly path: string | ((world: World) => string)
  /** Whether a link on another site leads there. */
  readonly byLink?: boolean
  /** 200 unless said. */
  readonly status?: number
  /** What the world is like for this visit alone; undone after it. */
  readonly when?: (world: World) => void
  /** What is done on the page before it is judged; it waits for what comes of it. */
  readonly act?: (page: Page, world: World) => Promise<unknown>
}

/** Addresses that answer something other than a page, or lead to another one. */
export const NO_PAGES: readonly string[] = [
  '/',
  '/healthz',
  '/readyz',
  '/dashboard/free-space/:alias',
  '/connect/windows.reg',
  '/connect/check',
  '/users.csv',
  '/review.csv',
  '/audit.csv',
  '/audit.json',
]

const ids = (world: World) => world.ids
const server =
  (name: keyof World['ids']['servers'], rest = '') =>
  (world: World) =>
    `/servers/${ids(world).servers[name]}${rest}`
const user =
  (name: keyof World['ids']['users'], rest = '') =>
  (world: World) =>
    `/users/${ids(world).users[name]}${rest}`
const press = (name: string, then: string) => async (page: Page) => {
  await page.getByRole('button', { name, exact: true }).click()
  await page.getByText(then).first().waitFor()
}
const failing = (error: Error) => (world: World) => {
  world.app.treeOf('anna').failure = error
}

/** Every page, and what forms answer with. What is visited later sees what was done before. */
export const VISITS: readonly Visit[] = [
  // Nobody.
  { name: 'login', as: 'nobody', path: '/login' },
  {
    name: 'login that was refused',
    as: 'nobody',
    path: '/login',
    act: async (page) => {
      await page.getByLabel('Username').fill('anna')
      await page.getByLabel('Password').fill('wrong')
      await press('Log in', 'wrong')(page)
    },
  },
  { name: 'set-up when it is over', as: 'nobody', path: '/setup?token=x' },
  { name: 'nothing at this address', as: 'nobody', path: '/nothing', status: 404 },
  { name: 'API, read by a stranger', as: 'nobody', path: '/api/docs' },

  // A user.
  { name: 'forced change of the password', as: 'clara', path: '/password' },
  { name: 'dashboard without a server', as: 'emil', path: '/dashboard' },
  { name: 'files without a server', as: 'emil', path: '/files' },
  { name: 'nothing shared', as: 'emil', path: '/shared' },
  { name: 'nothing shared by me', as: 'emil', path: '/shared/by-me' },
  { name: 'no copies', as: 'emil', path: '/jobs' },
  { name: 'page of administrators', as: 'emil', path: '/users', status: 403 },
  { name: 'dashboard', as: 'anna', path: '/dashboard' },
  { name: 'servers as folders', as: 'anna', path: '/files' },
  { name: 'folder', as: 'anna', path: '/files/archive/' },
  { name: 'empty folder', as: 'anna', path: '/files/archive/empty/' },
  { name: 'read-only folder', as: 'anna', path: '/files/media/' },
  {
    name: 'folder with ticked files',
    as: 'anna',
    path: '/files/archive/',
    act: (page) => page.getByLabel('Tick photo.png').check(),
  },
  {
    name: 'question before deleting',
    as: 'anna',
    path: '/files/archive/',
    act: async (page) => {
      await page.getByLabel('Tick photo.png').check()
      await press('Delete', 'Delete photo.png?')(page)
    },
  },
  {
    name: 'where to move to',
    as: 'anna',
    path: '/files/archive/',
    act: async (page) => {
      await page.getByLabel('Tick photo.png').check()
      await press('Move', 'Move here')(page)
    },
  },
  {
    name: 'upload of a name that is taken',
    as: 'anna',
    path: '/files/archive/',
    act: async (page) => {
      const files = ['report.pdf', 'new.txt'].map((name) => ({
        name,
        mimeType: 'text/plain',
        buffer: Buffer.from('x'),
      }))
      await page.locator('#upload-files').setInputFiles(files)
      await page.getByText('1 needs you').waitFor()
    },
  },
  {
    name: 'question before deleting, without the script',
    as: 'anna',
    path: '/files/archive/',
    act: async (page) => {
      await page.getByLabel('Tick photo.png').check()
      await page.evaluate(`{
        const form = document.getElementById('entries-form')
        form.action = '?do=delete'
        form.submit()
      }`)
      await page.locator('.ask-page').waitFor()
    },
  },
  { name: 'image', as: 'anna', path: '/files/archive/photo.png' },
  { name: 'text', as: 'anna', path: '/files/archive/notes/todo.txt' },
  { name: 'PDF', as: 'anna', path: '/files/archive/report.pdf' },
  { name: 'sound', as: 'anna', path: '/files/media/song.mp3' },
  { name: 'file without a preview', as: 'anna', path: '/files/archive/program.bin' },
  { name: 'file that is not there', as: 'anna', path: '/files/archive/none.txt', status: 404 },
  {
    name: 'server that does not answer',
    as: 'anna',
    path: '/files/archive/',
    status: 502,
    when: failing(new StorageError('UNREACHABLE', 'no route')),
  },
  {
    name: 'server that refuses the login',
    as: 'anna',
    path: '/files/archive/',
    status: 403,
    when: failing(new StorageError('LOGIN_REJECTED', 'no')),
  },
  { name: 'error of ours', as: 'anna', path: '/files/archive/', status: 500, when: failing(new Error('a bug')) },
  { name: 'copies and moves', as: 'anna', path: '/jobs' },
  { name: 'folder at its stable address', as: 'anna', path: '/ftp/anna/archive/' },
  { name: 'shared with me', as: 'anna', path: '/shared' },
  { name: 'shared by me', as: 'anna', path: '/shared/by-me' },
  { name: 'one share', as: 'anna', path: (world) => `/shared/by-me/${ids(world).shares.byAnna}` },
  { name: 'new share', as: 'anna', path: '/shared/new?path=/archive/report.pdf' },
  { name: 'shared folder', as: 'anna', path: (world) => `/shared/${ids(world).shares.byBert}/` },
  { name: 'shared file', as: 'anna', path: (world) => `/shared/${ids(world).shares.file}` },
  ...['windows', 'macos', 'linux', 'phone'].map((system): Visit => {
    return { name: `connect on ${system}`, as: 'anna', path: `/connect?system=${system}` }
  }),
  { name: 'account', as: 'anna', path: '/account' },
  { name: 'change of the password', as: 'anna', path: '/password' },
  { name: 'log out, asked by another site', as: 'anna', path: '/logout', byLink: true },
  { name: 'API', as: 'anna', path: '/api/docs' },
  {
    name: 'app password, shown once',
    as: 'anna',
    path: '/account/app-passwords/new',
    act: async (page) => {
      await page.getByLabel('Name', { exact: true }).fill('Tablet')
      await press('Make it', 'Copy the app password now')(page)
    },
  },
  { name: 'new app password', as: 'anna', path: '/account/app-passwords/new' },
  {
    name: 'API token, refused',
    as: 'anna',
    path: '/account/api-tokens/new',
    act: async (page) => {
      await page.getByLabel('Name', { exact: true }).fill('Script')
      await press('Make it', 'It must')(page)
    },
  },
  {
    name: 'API token, shown once',
    as: 'anna',
    path: '/account/api-tokens/new',
    act: async (page) => {
      await page.getByLabel('Name', { exact: true }).fill('Script')
      await page.getByRole('checkbox').first().check()
      await press('Make it', 'Copy the token now')(page)
    },
  },
  {
    name: 'QR code of the second factor',
    as: 'emil',
    path: '/account/second-factor',
    act: beginSecondFactor,
  },
  {
    name: 'recovery codes',
    as: 'emil',
    path: '/account/second-factor',
    act: async (page) => {
      const secret = await beginSecondFactor(page)
      await page.getByRole('textbox', { name: 'Code' }).fill(new TOTP({ secret: Secret.fromBase32(secret) }).generate())
      await press('Turn on', 'They are shown only now')(page)
    },
  },
  { name: 'second factor that is on', as: 'emil', path: '/account/second-factor' },
  {
    name: 'second step of a login',
    as: 'nobody',
    path: '/login',
    act: async (page) => {
      await page.getByLabel('Username').fill('emil')
      await page.getByLabel('Password').fill(PASSWORD)
      await press('Log in', 'Open your authenticator app')(page)
    },
  },
  { name: 'second step of a login, again', as: 'nobody', path: '/login/second-factor' },

  // An administrator.
  { name: 'users', as: 'root', path: '/users' },
  { name: 'users, none found', as: 'root', path: '/users?text=zzz' },
  { name: 'new user', as: 'root', path: '/users/new' },
  {
    name: 'new user, refused',
    as: 'root',
    path: '/users/new',
    act: async (page) => {
      await page.getByLabel('Name', { exact: true }).fill('anna')
      await page.getByLabel('Password', { exact: true }).fill('password123')
      await press('Create user', 'common passwords')(page)
    },
  },
  { name: 'import of users', as: 'root', path: '/users/import' },
  {
    name: 'import of users, refused',
    as: 'root',
    path: '/users/import',
    act: async (page) => {
      await page.getByLabel('Lines').fill('username,password,role\nanna,short,king')
      await press('Import users', 'must')(page)
    },
  },
  { name: 'user', as: 'root', path: user('anna') },
  { name: 'user with a second factor and no server', as: 'root', path: user('emil') },
  { name: 'user that is not there', as: 'root', path: '/users/999', status: 404 },
  { name: 'deleting a user', as: 'root', path: user('anna', '/delete') },
  { name: 'servers', as: 'root', path: '/servers' },
  { name: 'new server', as: 'root', path: '/servers/new' },
  {
    name: 'new server, refused',
    as: 'root',
    path: '/servers/new',
    act: async (page) => {
      await page.getByLabel('Name', { exact: true }).fill('media')
      await page.getByLabel('Protocol').selectOption('ftp')
      await page.getByLabel('Host').fill('files.example.com')
      await press('Create server', 'Not saved')(page)
    },
  },
  { name: 'health of the servers', as: 'root', path: '/servers/health' },
  { name: 'server', as: 'root', path: server('media') },
  { name: 'server that nobody has confirmed', as: 'root', path: server('fresh') },
  { name: 'disabled server', as: 'root', path: server('backup') },
  { name: 'edited server', as: 'root', path: server('media', '/edit') },
  { name: 'test of a connection', as: 'root', path: server('media', '/test') },
  {
    name: 'test that went well',
    as: 'root',
    path: server('media', '/test'),
    act: press('Test the connection', 'The connection works.'),
  },
  {
    name: 'test of a server that changed',
    as: 'root',
    path: server('vault', '/test'),
    act: press('Test the connection', 'Compare the fingerprints'),
  },
  { name: 'trust in nobody', as: 'root', path: server('fresh', '/trust') },
  {
    name: 'new host key',
    as: 'root',
    path: server('fresh', '/trust'),
    act: press('Show the host key of the server', 'The server shows this host key'),
  },
  {
    name: 'host key as confirmed',
    as: 'root',
    path: server('media', '/trust'),
    act: press('Show the host key of the server', 'It is the confirmed server'),
  },
  {
    name: 'changed host key',
    as: 'root',
    path: server('vault', '/trust'),
    act: press('Show the host key of the server', 'has changed'),
  },
  { name: 'trust in public authorities', as: 'root', path: server('studio', '/trust') },
  { name: 'trust in plain ftp', as: 'root', path: server('archive', '/trust') },
  { name: 'deleting a server', as: 'root', path: server('media', '/delete') },
  { name: 'permissions', as: 'root', path: '/permissions' },
  { name: 'grant', as: 'root', path: '/permissions/new' },
  {
    name: 'grant, refused',
    as: 'root',
    path: '/permissions/new',
    act: press('Grant', 'Not saved'),
  },
  { name: 'permission', as: 'root', path: (world) => `/permissions/${ids(world).permission}` },
  { name: 'taking a permission away', as: 'root', path: (world) => `/permissions/${ids(world).permission}/revoke` },
  { name: 'accounts in step and not', as: 'root', path: '/sync' },
  { name: 'accounts of one server', as: 'root', path: (world) => `/sync?server=${ids(world).servers.studio}` },
  { name: 'accounts of one user', as: 'root', path: '/sync?user=bert' },
  { name: 'accounts of nobody', as: 'root', path: '/sync?user=nobody' },
  { name: 'plan with differences', as: 'root', path: (world) => `/sync/plans/${ids(world).plans.differences}` },
  { name: 'plan that was done', as: 'root', path: (world) => `/sync/plans/${ids(world).plans.done}` },
  { name: 'plan that waits for a server', as: 'root', path: (world) => `/sync/plans/${ids(world).plans.waiting}` },
  { name: 'how accounts are kept', as: 'root', path: server('studio', '/provisioner') },
  { name: 'accounts that nobody keeps', as: 'root', path: server('fresh', '/provisioner') },
  ...(['folder', 'system', 'proftpd-file', 'pure-ftpd', 'sftpgo', 'command'] as const).map((kind): Visit => ({
    name: `accounts kept as ${kind}`,
    as: 'root',
    path: server('fresh', `/provisioner?kind=${kind}`),
  })),
  { name: 'accounts kept in another way', as: 'root', path: server('studio', '/provisioner?kind=sftpgo') },
  {
    name: 'how accounts are kept, refused',
    as: 'root',
    path: server('fresh', '/provisioner?kind=command'),
    act: async (page) => {
      await page.getByLabel('Folder for homes').fill('home')
      await press('Save', 'must be an absolute path')(page)
    },
  },
  { name: 'access review', as: 'root', path: '/review' },
  { name: 'audit log', as: 'root', path: '/audit' },
  { name: 'activity', as: 'root', path: '/activity' },
]

async function beginSecondFactor(page: Page): Promise<string> {
  await page.getByLabel('Your password').fill(PASSWORD)
  await press('Continue', 'Scan this with your authenticator app.')(page)
  await page.getByText('It cannot be scanned').click()
  return (await page.getByLabel('Type this key into the app').inputValue()).replaceAll(' ', '')
}

/** The pages of a gateway that nobody has set up yet, and then of its first administrator, who has nothing else. */
export const FIRST_VISITS: readonly Pick<Visit, 'name' | 'path' | 'status'>[] = [
  { name: 'dashboard of the first administrator', path: '/dashboard' },
  { name: 'no server', path: '/servers' },
  { name: 'no health', path: '/servers/health' },
  { name: 'no permission', path: '/permissions' },
  { name: 'nothing to grant', path: '/permissions/new' },
  { name: 'no accounts to keep in step', path: '/sync' },
  { name: 'nothing to review', path: '/review' },
  { name: 'nothing runs', path: '/activity' },
  { name: 'audit log, none found', path: '/audit?actor=zzz' },
]
