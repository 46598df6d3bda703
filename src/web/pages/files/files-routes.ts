import { Router } from 'express'
import { requireVisitor } from '../../page/visitor.js'
import { addressMatcher } from '../../../config/options.js'
import type { WebDependencies } from '../../dependencies.js'
import { browse } from './browse.js'
import type { FilesDependencies } from './files-request.js'
import { folderActions } from './folder-actions.js'
import { upload } from './upload.js'

/** `/files/<alias>/<path>`: the visitor's own tree in the browser. */
export function filesRoutes(web: WebDependencies): Router {
  const dependencies: FilesDependencies = { ...web, isProxy: addressMatcher(web.config.trustProxy) }
  const router = Router()
  const address = '/files{/*path}'
  router.get(address, requireVisitor, browse(dependencies))
  router.put(address, requireVisitor, upload(dependencies))
  router.post(address, requireVisitor, folderActions(dependencies))
  return router
}
