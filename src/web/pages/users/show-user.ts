import { Router } from 'express'
import { idOf } from '../../page/request-values.js'
import { requireAdmin } from '../../page/visitor.js'
import { showUser, type UserPageDependencies } from './user-page.js'

/** `GET /users/<id>`. */
export function showUserRoutes(dependencies: UserPageDependencies): Router {
  const router = Router()
  router.get('/users/:id', requireAdmin, (request, response) =>
    showUser(request, response, dependencies, idOf(request)),
  )
  return router
}
