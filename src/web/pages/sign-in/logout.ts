import { Router, type Request, type Response } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { page } from '../../page/page.js'
import { knownVisitor } from '../../page/visitor.js'
import { endSession } from '../../session/session.js'

/** The way out. A link on another site, or a browser that loads pages ahead, logs nobody out: they get a button. */
export function logoutRoutes({ sessions }: Pick<WebDependencies, 'sessions'>): Router {
  const router = Router()
  const logOut = async (request: Request, response: Response) => {
    const visitor = knownVisitor(request)
    if (visitor) await sessions.logOut(request.sessionID, visitor.userId, actorOf(request))
    await endSession(request)
    // ASVS 14.3.1. Cookies go with the session.
    response.set('Clear-Site-Data', '"cache", "storage"')
  }

  router.get('/logout', async (request, response) => {
    if (!knownVisitor(request)) response.redirect(303, '/login')
    else if (meantByVisitor(request)) {
      await logOut(request, response)
      response.redirect(303, '/login')
    } else await page(request, response, 'sign-in/logout', { title: 'Log out' })
  })

  router.post('/logout', async (request, response) => {
    await logOut(request, response)
    response.redirect(303, '/login')
  })

  return router
}

/** By Fetch metadata: a page of ours, or the address bar. */
function meantByVisitor(request: Request): boolean {
  const site = request.get('Sec-Fetch-Site')
  return (site === 'same-origin' || site === 'none') && request.get('Sec-Purpose') === undefined
}
