import { expect } from 'chai'
import type { Browser, Page } from 'playwright-core'
import { browserFor } from '../../../lab/browser.js'
import { pdfFile } from '../../../support/pdf-file.js'
import { PASSWORD, startWebApp, type TestWebApp } from '../../../support/web-app.js'
import { watchPages } from '../../../support/watched-pages.js'

/** The part of the browser's `HTMLCanvasElement` that is looked at; the types of browsers are not those of this project. */
interface Canvas {
  readonly width: number
  readonly height: number
  getContext(
    kind: '2d',
  ): { getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray } } | null
}

describe('the preview of a PDF', function () {
  this.timeout(60_000)
  let browser: Browser
  let app: TestWebApp
  let page: Page
  let problems: string[]

  before(async function () {
    browser = await browserFor(this)
  })
  after(() => browser?.close())

  beforeEach(async () => {
    app = await startWebApp()
    await app.addUser('anna')
    const files = app.treeOf('anna')
    files.add('/s1/one.pdf', pdfFile(1)).add('/s1/many.pdf', pdfFile(60)).add('/s1/broken.pdf', '%PDF-1.4 no more')
    const context = await browser.newContext({ baseURL: app.url })
    problems = await watchPages(context)
    page = await context.newPage()
    await page.goto('/login')
    await page.getByLabel('Username').fill('anna')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.waitForURL('**/dashboard')
  })
  afterEach(async () => {
    await page.context().close()
    await app.close()
  })

  it('draws the page, in its own font, under the strict policy', async () => {
    await page.goto('/files/s1/one.pdf')
    const sheet = page.getByRole('img', { name: 'Page 1 of 1' })
    await sheet.waitFor()
    const pixels = await sheet.evaluate((element) => {
      const canvas = element as unknown as Canvas
      const { width, height } = canvas
      // No function with a name in here: tsx would put a helper into it that the page does not have.
      const pieces = [
        [0.5 * width, 0.73 * height, 1, 1],
        [0.9 * width, 0.1 * height, 1, 1],
        [0, 0.42 * height, width, 0.1 * height],
      ] as const
      return pieces.map(([x, y, w, h]) => [...(canvas.getContext('2d')?.getImageData(x, y, w, h).data ?? [])])
    })
    const [box, paper, line = []] = pixels
    expect([box, paper]).to.deep.equal([
      [51, 102, 204, 255],
      [255, 255, 255, 255],
    ])
    expect(Math.min(...line.filter((_, index) => index % 4 === 0).slice(0, 100_000))).to.be.below(64)
    expect(await page.locator('#pdf').innerText()).to.include('Page 1')
    expect(problems).to.deep.equal([])
    expect(app.treeOf('anna').reads).to.equal(1)
  })

  it('draws what is near and lets go what is far', async () => {
    await page.goto('/files/s1/many.pdf')
    await page.getByRole('img', { name: 'Page 1 of 60' }).waitFor()
    expect(await page.locator('#pdf-note').innerText()).to.equal('60 pages')
    expect(await page.locator('.pdf-page').count()).to.equal(60)
    expect(await page.locator('#pdf canvas').count()).to.be.below(6)
    await page.locator('.pdf-page').nth(50).scrollIntoViewIfNeeded()
    await page.getByRole('img', { name: 'Page 51 of 60' }).waitFor()
    await page.getByRole('img', { name: 'Page 1 of 60' }).waitFor({ state: 'detached' })
    expect(await page.locator('#pdf canvas').count()).to.be.below(8)
    expect(problems).to.deep.equal([])
  })

  it('says that a file is none', async () => {
    await page.goto('/files/s1/broken.pdf')
    await page.getByText('This file cannot be shown. Download it to open it.').waitFor()
    expect(problems).to.deep.equal([])
  })
})
