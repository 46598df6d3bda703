import { encodePath } from '../../../http/url-path.js'
import type { Share } from '../../../shares/share.js'
import { childPath, parentPath } from '../../../vfs/virtual-path.js'
import type { Place } from '../files/place.js'

type Shown = Pick<Share, 'id' | 'path' | 'name' | 'owner'>

/** Segments of a path in the owner's tree that lie below what is shared. */
function below(share: Pick<Share, 'path'>, path: string): string[] {
  return path.slice(share.path.length).split('/').filter(Boolean)
}

/** The page of something shared: nothing of where the owner keeps it. */
export function hrefInShare(share: Pick<Share, 'id' | 'path'>, path: string, folder: boolean): string {
  return encodePath(below(share, path).reduce(childPath, `/shared/${share.id}`), folder)
}

/** `/shared/<id>`: what another user shares. */
export function sharedPlace(share: Shown): Place {
  const hrefOf = (path: string, folder: boolean) => hrefInShare(share, path, folder)
  return {
    hrefOf,
    crumbs: (path) => {
      const crumbs = [
        { name: 'Shared with me', href: '/shared' },
        { name: share.name, href: hrefOf(share.path, true) },
      ]
      let at = share.path
      for (const name of below(share, path)) crumbs.push({ name, href: hrefOf((at = childPath(at, name)), true) })
      return crumbs
    },
    up: (path) => (path === share.path ? '/shared' : hrefOf(parentPath(path), true)),
    shown: (path) => below(share, path).reduce(childPath, childPath('/', share.name)),
    access: () => Promise.resolve('read-only'),
    owner: share.owner,
  }
}
