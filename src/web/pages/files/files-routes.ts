import { Router } from 'express'
import { requireVisitor } from '../../page/visitor.js'
import { browse } from './browse.js'
import type { FilesDependencies } from './files-request.js'
import { folderActions } from './folder-actions.js'
import { upload } from './upload.js'

/** `/files/<alias>/<path>`: the visitor's own tree in the browser. */
export function filesRoutes(dependencies: FilesDependencies): Router {
  const router = Router()
  const address = '/files{/*path}'
  router.get(address, requireVisitor, browse(dependencies))
  router.put(address, requireVisitor, upload(dependencies))
  router.post(address, requireVisitor, folderActions(dependencies))
  return router
}
