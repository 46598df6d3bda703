import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { browseShareRoutes } from './browse-share.js'
import { editShareRoutes } from './edit-share.js'
import { endShareRoutes } from './end-share.js'
import { newShareRoutes } from './new-share.js'
import { sharedByMeRoutes } from './shared-by-me.js'
import { sharedWithMeRoutes } from './shared-with-me.js'

/** `/shared`: files and folders that users let each other see. Fixed addresses stand before those with an id. */
export function sharedRoutes(dependencies: WebDependencies): Router {
  const router = Router()
  for (const routes of [sharedWithMeRoutes, sharedByMeRoutes, editShareRoutes, newShareRoutes, endShareRoutes]) {
    router.use(routes(dependencies))
  }
  router.use(browseShareRoutes(dependencies))
  return router
}
