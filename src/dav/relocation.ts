import { parseDestination } from './destination.js'
import { singleHeaderOf, pathInTree, type Exchange } from './exchange.js'
import { parseOverwrite } from './overwrite.js'
import { ownHosts } from './proxy.js'

/** What the headers of a COPY or MOVE say; tree paths. */
export interface Relocation {
  readonly from: string
  readonly to: string
  readonly overwrite: boolean
}

/** @throws DavError 400, 502 for the Destination, 400 for Overwrite, 403 and 404 outside the tree */
export function readRelocation(exchange: Exchange): Relocation {
  const { request, dependencies } = exchange
  const to = parseDestination(singleHeaderOf(request, 'destination'), ownHosts(request, dependencies))
  const overwrite = parseOverwrite(singleHeaderOf(request, 'overwrite'))
  return { from: pathInTree(exchange), to, overwrite }
}
