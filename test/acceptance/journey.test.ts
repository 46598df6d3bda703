import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Secret, TOTP } from 'otpauth'
import type { Browser, Page } from 'playwright-core'
import { browserFor } from '../lab/browser.js'
import { labFor, type Lab, type LabDaemon } from '../lab/lab.js'
import { differences, makeTree, snapshotOf, type Snapshot } from '../support/file-tree.js'
import { GatewayProcess } from '../support/gateway.js'
import { Rclone } from '../support/rclone.js'
import { Screenshots, WIDE } from '../support/screenshots.js'
import { watchPages } from '../support/watched-pages.js'
import { entriesOf } from '../support/zip-entries.js'

const ADMIN = { username: 'admin', password: 'seven quiet lighthouses' }
const FIRST_PASSWORD = 'handed over on paper'
const USER = { username: 'maria', password: 'three green bicycles' }
const FOLDER = 'Holiday photos'
const FILES = 40

/** From an empty data folder to a mounted drive, by what a browser shows and nothing else. */
describe('the way of a new administrator and a first user', function () {
  this.timeout(120_000)
  let lab: Lab
  let gateway: GatewayProcess
  let browser: Browser

  before(async function () {
    browser = await browserFor(this)
    lab = await labFor(this, { daemons: ['proftpd', 'sshd'] })
    const env = { FTPCLUSTER_ADMIN_PASSWORD: '' }
    gateway = await GatewayProcess.start({ servers: [], users: [], permissions: [] }, { env })
  })
  after(async () => {
    await browser?.close()
    await gateway?.stop()
    await lab?.stop()
  })

  it('leads from the link in the log to a mounted drive', async () => {
    const screenshots = await Screenshots.into('journey')
    const context = await browser.newContext({ viewport: WIDE, baseURL: gateway.url, acceptDownloads: true })
    const problems = await watchPages(context)
    const page = await context.newPage()
    const take = (name: string) => screenshots.take(page, name)

    await page.goto(await gateway.logged(/http:\S+\/setup\?token=[\w-]{43}/))
    await take('set up')
    await page.getByLabel('Username').fill(ADMIN.username)
    await page.getByLabel('Password', { exact: true }).fill(ADMIN.password)
    await page.getByLabel('Password again').fill(ADMIN.password)
    await page.getByRole('button', { name: 'Start' }).click()
    await page.getByRole('heading', { name: 'Your servers' }).waitFor()
    await take('dashboard of a new admin')

    await page.getByRole('link', { name: 'Register a server' }).click()
    await registerFtp(page, lab.daemon('proftpd'), take)
    await menu(page, 'Servers')
    await page.getByRole('link', { name: 'New server' }).click()
    await registerSftp(page, lab.daemon('sshd'), take)
    await menu(page, 'Servers')
    await take('servers')

    await menu(page, 'Users')
    await page.getByRole('link', { name: 'New user' }).click()
    await page.getByLabel('Name', { exact: true }).fill(USER.username)
    await page.getByLabel('Password', { exact: true }).fill(FIRST_PASSWORD)
    await page.getByLabel('The user has to choose another password').check()
    await take('new user')
    await page.getByRole('button', { name: 'Create user' }).click()
    await take('user without a server')
    await page.getByRole('link', { name: 'Grant servers' }).click()
    const { username, password } = lab.daemon('proftpd').account('alice')
    await page.getByLabel('archive').check()
    await page.getByLabel('media').check()
    await page.getByLabel('Login on the server').fill(username)
    await page.getByLabel('Password on the server').fill(password ?? '')
    await take('grant')
    await page.getByRole('button', { name: 'Grant', exact: true }).click()
    await page.getByRole('link', { name: USER.username }).first().waitFor()
    await take('granted')
    await page.getByRole('button', { name: 'Log out' }).click()

    await page.getByLabel('Username').fill(USER.username)
    await page.getByLabel('Password').fill(FIRST_PASSWORD)
    await take('log in')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByLabel('Current password').fill(FIRST_PASSWORD)
    await page.getByLabel('New password', { exact: true }).fill(USER.password)
    await page.getByLabel('New password again').fill(USER.password)
    await take('forced change of the password')
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByRole('heading', { name: 'Your servers' }).waitFor()
    await page.locator('[data-state="up"]').nth(1).waitFor()
    await take('dashboard of the user')

    await page.getByRole('link', { name: 'Browse archive' }).click()
    const source = path.join(lab.scratch, FOLDER)
    await makeTree(source, {
      files: FILES,
      fileNames: ['Grüße & Küsse.txt', 'a#b 100%.txt', 'Ελλάδα'],
      folderNames: ['Tag 1'],
    })
    await uploadByDrop(page, source, take)
    await page.getByRole('link', { name: FOLDER }).click()
    await page.getByRole('link', { name: 'plain' }).waitFor()
    await take('inside the uploaded folder')
    expect(differences(await snapshotOf(source), await downloadedZip(page, FOLDER))).to.deep.equal([])

    await menu(page, 'Account')
    await take('account')
    await page.getByRole('link', { name: 'Turn on' }).click()
    await page.getByLabel('Your password').fill(USER.password)
    await take('second factor begun')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByText('It cannot be scanned').click()
    const secret = (await page.getByLabel('Type this key into the app').inputValue()).replaceAll(' ', '')
    await take('second factor QR code')
    await page
      .getByRole('textbox', { name: 'Code', exact: true })
      .fill(new TOTP({ secret: Secret.fromBase32(secret) }).generate())
    await page.getByRole('button', { name: 'Turn on' }).click()
    const codes = (await page.locator('#codes').innerText()).trim().split(/\s+/)
    expect(codes).to.have.length(10)
    await take('recovery codes')
    await page.getByRole('link', { name: 'Done' }).click()

    await page.getByRole('link', { name: 'New app password' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Notebook')
    await take('new app password')
    await page.getByRole('button', { name: 'Make it' }).click()
    const appPassword = await page.getByLabel('App password', { exact: true }).inputValue()
    const url = await page.getByLabel('Address').inputValue()
    await take('app password')

    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Username').fill(USER.username)
    await page.getByLabel('Password').fill(USER.password)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Use a recovery code instead').click()
    await page.getByLabel('Recovery code').fill(codes[0] ?? '')
    await take('second factor at the login')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('heading', { name: 'Your servers' }).waitFor()

    await menu(page, 'Connect')
    await page.getByRole('link', { name: 'Linux' }).click()
    expect(url).to.equal(`${gateway.url}/dav/`)
    const refused = await (await Rclone.on({ url, ...USER })).run('lsf', 'drive:')
    expect(refused.code).to.not.equal(0)
    expect(refused.stderr).to.include('401')
    await page.getByText('a drive needs an app password').waitFor()
    await take('refused with the login password')
    const drive = await Rclone.on({ url, username: USER.username, password: appPassword })
    const listed = await drive.must('lsf', '-R', '--files-only', `drive:archive/${FOLDER}`)
    expect(listed.stdout.trim().split('\n')).to.have.length(FILES)
    await page.getByText('rclone has connected').waitFor()
    await take('connected with the app password')

    expect(problems).to.deep.equal([])
  })
})

type Take = (name: string) => Promise<void>

function menu(page: Page, name: string): Promise<void> {
  return page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: true }).click()
}

async function registerFtp(page: Page, { endpoint }: LabDaemon, take: Take): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill('archive')
  await page.getByLabel('Protocol').selectOption('FTP, unprotected')
  await page.getByLabel('I know; this server has nothing better').check()
  await page.getByLabel('Host').fill(endpoint.host)
  await page.getByLabel('Port').fill(String(endpoint.port))
  await take('new FTP server')
  await page.getByRole('button', { name: 'Create server' }).click()
  await page.getByRole('button', { name: 'Test the connection' }).click()
  await page.getByText('The server answers.').waitFor()
  await take('FTP server tested')
}

async function registerSftp(page: Page, { endpoint }: LabDaemon, take: Take): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill('media')
  await page.getByLabel('Protocol').selectOption('SFTP (over SSH)')
  await page.getByLabel('Host').fill(endpoint.host)
  await page.getByLabel('Port').fill(String(endpoint.port))
  await take('new SFTP server')
  await page.getByRole('button', { name: 'Create server' }).click()
  await take('nobody trusted yet')
  await page.getByRole('button', { name: 'Show the host key of the server' }).click()
  const shown = await page.locator('.fingerprint').first().innerText()
  expect(endpoint.trust).to.deep.equal({ kind: 'pinned', fingerprints: [shown] })
  await take('fingerprint shown')
  await page.getByRole('button', { name: 'It is the same: trust this server' }).click()
  await page.getByRole('button', { name: 'Test the connection' }).click()
  await page.getByText('The server answers.').waitFor()
  await take('SFTP server tested')
}

/** Drops a folder of this machine on the page, as a file manager does. */
async function uploadByDrop(page: Page, folder: string, take: Take): Promise<void> {
  await page.locator('#upload-button').waitFor()
  const client = await page.context().newCDPSession(page)
  const drag = (type: 'dragEnter' | 'dragOver' | 'drop') =>
    client.send('Input.dispatchDragEvent', {
      ...{ type, x: 600, y: 400 },
      data: { items: [], files: [folder], dragOperationsMask: 1 },
    })
  await drag('dragEnter')
  await drag('dragOver')
  await page.locator('#drop-hint.active').waitFor()
  await take('a folder held over the page')
  await page.setViewportSize(WIDE)
  // The first file is held back until the progress has been looked at.
  let release: () => void = () => undefined
  const looked = new Promise<void>((resolve) => (release = resolve))
  await page.route('**/files/archive/**', async (route) => {
    if (route.request().method() === 'PUT') await looked
    await route.continue()
  })
  await drag('drop')
  await page.getByText(/Uploading 1 of \d+/).waitFor()
  await page.locator('#transfers-list progress').first().waitFor()
  await take('uploading')
  release()
  await page.getByText(`${FILES} files uploaded`).waitFor()
  await page.unroute('**/files/archive/**')
  await take('uploaded')
  await page.getByRole('button', { name: 'Close' }).click()
}

/** What the ZIP of the folder that shows holds below that folder. */
async function downloadedZip(page: Page, name: string): Promise<Snapshot> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download as ZIP' }).click(),
  ])
  expect(download.suggestedFilename()).to.equal(`${name}.zip`)
  const entries = [...entriesOf(await readFile(await download.path()))]
  expect(entries.every(([member]) => member.startsWith(`${name}/`))).to.equal(true)
  const below = entries.map(([member, content]): [string, string] => {
    const hash = createHash('sha256').update(content).digest('hex')
    return [member.slice(name.length + 1).replace(/\/$/, ''), member.endsWith('/') ? 'folder' : hash]
  })
  return new Map(below.filter(([member]) => member !== ''))
}
