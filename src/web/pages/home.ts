import { Router } from 'express'
import { knownVisitor } from '../page/visitor.js'

/** `/` is the dashboard of who is logged in, and the way in for everybody else. */
export function homeRoutes(): Router {
  const router = Router()
  router.get('/', (request, response) => {
    response.redirect(303, knownVisitor(request) ? '/dashboard' : '/login')
  })
  return router
}
