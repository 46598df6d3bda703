import { Router } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { page } from '../../page/page.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'
import { KIND_ICONS, kindOf } from '../files/file-kind.js'
import { hrefOf } from '../files/file-path.js'

/** `GET /shared/by-me`: what the visitor shares with others, and why what does not work does not. */
export function sharedByMeRoutes({ shares }: Pick<WebDependencies, 'shares'>): Router {
  const router = Router()
  router.get('/shared/by-me', requireVisitor, async (request, response) => {
    const items = (await shares.sharedBy(visitorOf(request).userId)).map((share) => ({
      share,
      href: hrefOf(share.path, share.kind === 'directory'),
      symbol: KIND_ICONS[share.kind === 'directory' ? 'folder' : kindOf(share.name)],
    }))
    await page(request, response, 'shared/by-me', { title: 'Shared by me', items })
  })
  return router
}
