import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { page } from '../../page/page.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'
import { KIND_ICONS, kindOf } from '../files/file-kind.js'
import { hrefInShare } from './shared-place.js'

/** `GET /shared`: what others share with the visitor. */
export function sharedWithMeRoutes({ shares }: Pick<WebDependencies, 'shares'>): Router {
  const router = Router()
  router.get('/shared', requireVisitor, async (request, response) => {
    const items = (await shares.sharedWith(visitorOf(request).userId)).map((share) => ({
      share,
      href: hrefInShare(share, share.path, share.kind === 'directory'),
      symbol: KIND_ICONS[share.kind === 'directory' ? 'folder' : kindOf(share.name)],
    }))
    await page(request, response, 'shared/with-me', { title: 'Shared with me', items })
  })
  return router
}
