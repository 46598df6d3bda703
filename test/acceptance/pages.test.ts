import axe, { type AxeResults, type RunOptions } from 'axe-core'
import { expect } from 'chai'
import type { Express, ILayer } from 'express-serve-static-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { browserFor } from '../lab/browser.js'
import { NARROW, Screenshots, WIDE, widthOf } from '../support/screenshots.js'
import { watchPages } from '../support/watched-pages.js'
import { PASSWORD, startWebApp, type TestWebApp } from '../support/web-app.js'
import { FIRST_VISITS, NO_PAGES, VISITS, type Visit, type Visitor } from './pages/visits.js'
import { startWorld, type World } from './pages/world.js'

/** How a page is looked at. Colours are what a theme changes, so that is all that is judged again. */
const LOOKS: readonly { name: string; size: typeof WIDE; theme: 'light' | 'dark'; options: RunOptions }[] = [
  { name: 'wide', size: WIDE, theme: 'light', options: {} },
  { name: 'wide and dark', size: WIDE, theme: 'dark', options: { runOnly: ['color-contrast'] } },
  { name: 'narrow', size: NARROW, theme: 'light', options: {} },
]

/** Colours in the middle of a transition are nobody's choice. */
const CONTEXT = { viewport: WIDE, colorScheme: 'light', reducedMotion: 'reduce' } as const

/**
 * Every page in a browser, with data and without: nothing on the console, nothing that the content security policy blocked,
 * no serious or critical finding of axe, and nothing wider than the window.
 */
describe('every page', function () {
  this.timeout(60_000)
  let browser: Browser
  let world: World
  let screenshots: Screenshots | undefined
  const browsers = new Map<Visitor, { page: Page; problems: string[] }>()

  before(async function () {
    browser = await browserFor(this)
    world = await startWorld()
    if (process.env['FTPCLUSTER_SCREENSHOTS']) screenshots = await Screenshots.into('pages')
  })
  after(async () => {
    await browser?.close()
    await world?.stop()
  })

  const browserOf = async (visitor: Visitor) => {
    const known = browsers.get(visitor)
    if (known) return known
    const context = await browser.newContext({ ...CONTEXT, baseURL: world.app.url })
    const opened = { problems: await watchPages(context), page: await context.newPage() }
    browsers.set(visitor, opened)
    if (visitor !== 'nobody') await logIn(opened.page, visitor)
    return opened
  }

  for (const visit of VISITS) {
    it(`${visit.name}, as ${visit.as}`, async () => {
      const { page, problems } = await browserOf(visit.as)
      visit.when?.(world)
      try {
        const path = pathOf(visit, world)
        await (visit.byLink ? follow(page, world.app.url + path) : open(page, path, visit.status))
        await visit.act?.(page, world)
      } finally {
        world.app.treeOf('anna').failure = undefined
      }
      await judge(page, visit.name, problems, screenshots)
    })
  }

  it('is visited here, each that the router knows', () => {
    const patterns = routesOf(world.app.app).filter((route) => !NO_PAGES.includes(route))
    expect(patterns).to.include('/dashboard').and.include('/files{/*path}')
    const visited = new Set(VISITS.map((visit) => patternFor(pathOf(visit, world), patterns)))
    expect(patterns.filter((pattern) => !visited.has(pattern))).to.deep.equal([])
  })

  describe('of a gateway that is new', () => {
    let app: TestWebApp
    let context: BrowserContext
    let page: Page
    let problems: string[]

    before(async () => {
      app = await startWebApp()
      context = await browser.newContext({ ...CONTEXT, baseURL: app.url })
      problems = await watchPages(context)
      page = await context.newPage()
    })
    after(() => app?.close())

    it('login before the set-up', async () => {
      await open(page, '/login')
      await judge(page, 'login before the set-up', problems, screenshots)
    })

    it('set-up, and its refusal', async () => {
      await open(page, app.auth.setup.link(''))
      await judge(page, 'set-up', problems, screenshots)
      await page.getByLabel('Password', { exact: true }).fill('password123')
      await page.getByLabel('Password again').fill('password123')
      await page.getByRole('button', { name: 'Start' }).click()
      await page.getByText('most common passwords').waitFor()
      await judge(page, 'set-up, refused', problems, screenshots)
      await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
      await page.getByLabel('Password again').fill(PASSWORD)
      await page.getByRole('button', { name: 'Start' }).click()
      await page.getByRole('heading', { name: 'Your servers' }).waitFor()
    })

    for (const { name, path } of FIRST_VISITS) {
      it(name, async () => {
        await open(page, String(path))
        await judge(page, name, problems, screenshots)
      })
    }
  })
})

async function logIn(page: Page, username: string): Promise<void> {
  await page.goto('/login')
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.waitForURL(/\/(dashboard|password)$/)
}

async function open(page: Page, path: string, status = 200): Promise<void> {
  const response = await page.goto(path)
  expect(response?.status(), path).to.equal(status)
}

/** As from a page of somebody else. */
async function follow(page: Page, url: string): Promise<void> {
  await page.goto(`data:text/html,<a href="${url}">there</a>`)
  await page.getByRole('link').click()
  await page.waitForURL(url)
}

const pathOf = ({ path }: Visit, world: World) => (typeof path === 'string' ? path : path(world))

async function judge(page: Page, name: string, problems: string[], screenshots?: Screenshots): Promise<void> {
  await page.evaluate(axe.source)
  const found: string[] = []
  for (const look of LOOKS) {
    await page.emulateMedia({ colorScheme: look.theme })
    await page.setViewportSize(look.size)
    const width = await widthOf(page)
    if (width > look.size.width) found.push(`${look.name}: ${width} pixels wide`)
    const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(look.options)})`)
    for (const { id, impact, nodes } of violations) {
      if (impact !== 'serious' && impact !== 'critical') continue
      for (const { html, failureSummary } of nodes) found.push(`${look.name}: ${id}: ${html}\n${failureSummary ?? ''}`)
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await screenshots?.take(page, name)
  const all = [...problems.splice(0), ...found]
  expect(all, all.join('\n\n')).to.be.empty
}

/** Patterns of all GET routes; those for every method at once belong to the API, but for `/ftp`. */
function routesOf(app: Express): string[] {
  const walk = (stack: readonly ILayer[]): string[] =>
    stack.flatMap(({ route, handle }) => {
      if (route) {
        const { methods } = route as typeof route & { methods: Readonly<Record<string, boolean>> }
        return methods['get'] || (methods['_all'] && route.path.startsWith('/ftp')) ? [route.path] : []
      }
      return 'stack' in handle ? walk(handle.stack as ILayer[]) : []
    })
  return [...new Set(walk(app.router.stack))]
}

/** The first pattern that takes a path, as the router finds it. */
function patternFor(path: string, patterns: readonly string[]): string | undefined {
  const [plain = ''] = path.split('?')
  return patterns.find((pattern) => {
    const source = pattern
      .replace(/[.]/g, '\\.')
      .replace(/:\w+/g, '[^/]+')
      .replace('{/*path}', '(/.*)?')
      .replace('/*path', '/.*')
    return new RegExp(`^${source}$`).test(plain)
  })
}
