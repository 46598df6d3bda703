import { Router, type Request } from 'express'
import { page } from '../../page/page.js'
import { knownVisitor } from '../../page/visitor.js'
import { endSession } from '../../session/session.js'

/** The way out. A link on another site, or a browser that loads pages ahead, logs nobody out: they get a button. */
export function logoutRoutes(): Router {
  const router = Router()

  router.get('/logout', async (request, response) => {
    if (!knownVisitor(request)) response.redirect(303, '/login')
    else if (meantByVisitor(request)) {
      await endSession(request)
      response.redirect(303, '/login')
    } else await page(request, response, 'sign-in/logout', { title: 'Log out' })
  })

  router.post('/logout', async (request, response) => {
    await endSession(request)
    response.redirect(303, '/login')
  })

  return router
}

/** By Fetch metadata: a page of ours, or the address bar. */
function meantByVisitor(request: Request): boolean {
  const site = request.get('Sec-Fetch-Site')
  return (site === 'same-origin' || site === 'none') && request.get('Sec-Purpose') === undefined
}
