import type { BrowserContext } from 'playwright-core'

/** Runs in every page, before its own scripts. */
const REPORT_CSP = `addEventListener('securitypolicyviolation', (event) =>
  console.error('blocked by the policy: ' + event.effectiveDirective + ' ' + event.blockedURI))`

/**
 * Everything that goes wrong in the pages of a browser, as long as it is open: errors and warnings on the console, errors
 * that nobody caught, requests that failed or were refused, and what the content security policy blocked. The status of a
 * page itself is for the test to judge.
 */
export async function watchPages(context: BrowserContext): Promise<string[]> {
  const problems: string[] = []
  await context.addInitScript(REPORT_CSP)
  context.on('console', (message) => {
    // The status of a page shows here too.
    if (message.text().startsWith('Failed to load resource: the server responded')) return
    if (['error', 'warning'].includes(message.type()))
      problems.push(`console of ${message.location().url}: ${message.text()}`)
  })
  context.on('weberror', (error) => problems.push(`not caught: ${String(error.error())}`))
  context.on('response', (response) => {
    const request = response.request()
    // 412 answers the question whether a name is taken.
    if (response.status() < 400 || response.status() === 412 || request.isNavigationRequest()) return
    problems.push(`${response.status()} for ${request.method()} ${response.url()}`)
  })
  context.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? ''
    // Downloads, and whatever a page had under way when it was left.
    if (reason !== 'net::ERR_ABORTED') problems.push(`${reason} for ${request.method()} ${request.url()}`)
  })
  return problems
}
