import type { IncomingMessage } from 'node:http'
import { KeptWith } from '../heap/kept-with.js'
import type { RenderedListings } from './rendered-listings.js'
import type { DavDependencies } from './settings.js'
import type { TreePath } from './tree-path.js'

/** What is known of a request before anybody has logged in. */
export interface RequestState {
  readonly dependencies: DavDependencies
  readonly rendered: RenderedListings
  /** Or why the request target is none; it is told only to who may log in. */
  readonly target: TreePath | { readonly error: unknown }
}

const states = new KeptWith<IncomingMessage, RequestState>('states')

export function rememberState(request: IncomingMessage, state: RequestState): void {
  states.set(request, state)
}

/** @throws when the request did not come through `createDavHandler` */
export function stateOf(request: IncomingMessage): RequestState {
  const state = states.get(request)
  if (!state) throw new Error('This request did not come through the WebDAV handler.')
  return state
}
