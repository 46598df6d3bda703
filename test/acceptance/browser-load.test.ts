import { expect } from 'chai'
import { open, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { browserFor } from '../lab/browser.js'
import { labFor, type Lab } from '../lab/lab.js'
import { driveOver, PASSWORD as DRIVE_PASSWORD, USER } from '../support/drive.js'
import { GatewayProcess } from '../support/gateway.js'
import { actor, FINGERPRINT } from '../support/services.js'
import { PASSWORD, startWebApp } from '../support/web-app.js'

const MIB = 1024 ** 2
/** What is uploaded, MiB. The whole promise is 2048. */
const UPLOAD = Number(process.env['FTPCLUSTER_UPLOAD_MIB'] ?? 512)
const MEMORY = 250 * 1000 ** 2
const ENTRIES = 10_000

describe('the files pages with much', function () {
  this.timeout(120_000 + UPLOAD * 200)
  let browser: Browser

  before(async function () {
    browser = await browserFor(this)
  })
  after(() => browser?.close())

  it('show a folder of 10,000 entries that is usable at once, and lay out no more than what is seen', async () => {
    const app = await startWebApp()
    try {
      const userId = await app.addUser('anna')
      const server = { alias: 's1', protocol: 'sftp', host: 'files.test', trust: { fingerprint: FINGERPRINT } } as const
      await app.permissions.grant({ userId, serverId: (await app.servers.create(server, actor)).id }, actor)
      const tree = app.treeOf('anna')
      for (let i = 0; i < ENTRIES; i++) tree.add(`/s1/big/entry number ${i} of ten thousand.txt`, '')

      const page = await loggedIn(browser, app.url, 'anna', PASSWORD)
      const begun = performance.now()
      await page.goto(`${app.url}/files/s1/big/`, { waitUntil: 'commit' })
      await page.getByLabel('Tick entry number 0 of ten thousand.txt').check()
      await page.getByText('1 ticked').waitFor()
      process.stdout.write(`      ${ENTRIES} entries: usable after ${Math.round(performance.now() - begun)} ms\n`)
      await page.getByText(`${ENTRIES} items`).waitFor()
      await page
        .locator('#rows > *')
        .nth(ENTRIES - 1)
        .waitFor({ state: 'attached' })
      const laidOut = await page.evaluate<number>(`[...document.querySelectorAll('#rows > *')].filter((row) =>
        row.firstElementChild.checkVisibility({ contentVisibilityAuto: true })).length`)
      expect(laidOut).to.be.within(5, 200)

      await page.getByLabel('Tick entry number 0 of ten thousand.txt').uncheck()
      await page.getByLabel('Filter by name').fill('number 9999 ')
      await page.getByText(`1 of ${ENTRIES} items`).waitFor()
      expect(await page.locator('#rows > *').count()).to.equal(1)
      await page.context().close()
    } finally {
      await app.close()
    }
  })

  describe('over a real server', () => {
    let lab: Lab
    before(async function () {
      lab = await labFor(this, { daemons: ['sshd'] })
    })
    after(() => lab?.stop())

    it(`upload ${UPLOAD} MiB, and the gateway stays below 250 MB`, async () => {
      const source = path.join(lab.scratch, 'large.bin')
      const file = await open(source, 'w')
      await file.truncate(UPLOAD * MIB)
      await file.write('the end', UPLOAD * MIB - 7)
      await file.close()
      const gateway = await GatewayProcess.start(driveOver(lab))
      try {
        const page = await loggedIn(browser, gateway.url, USER, DRIVE_PASSWORD)
        await page.goto(`${gateway.url}/files/sshd/`)
        const begun = performance.now()
        await page.locator('#upload-files').setInputFiles(source)
        await page.getByText('1 file uploaded').waitFor({ timeout: 0 })
        const seconds = (performance.now() - begun) / 1000
        const peak = await gateway.peakMemory()
        process.stdout.write(
          `      ${UPLOAD} MiB in ${seconds.toFixed(1)} s, gateway at most ${Math.round(peak / 1000 ** 2)} MB\n`,
        )
        const stored = path.join(lab.daemon('sshd').account('alice').home, 'large.bin')
        expect((await stat(stored)).size).to.equal(UPLOAD * MIB)
        expect(peak).to.be.below(MEMORY)
        await rm(stored)
        await page.context().close()
      } finally {
        await gateway.stop()
      }
    })
  })
})

async function loggedIn(browser: Browser, url: string, username: string, password: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage()
  await page.goto(`${url}/login`)
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.waitForURL('**/dashboard')
  return page
}
