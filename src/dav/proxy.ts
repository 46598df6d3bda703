import type { IncomingMessage } from 'node:http'
import { hostOf } from './destination.js'
import { headerOf } from './exchange.js'
import type { DavDependencies } from './settings.js'

/** Host names that mean this gateway in a `Destination`. */
export function ownHosts(request: IncomingMessage, dependencies: DavDependencies): ReadonlySet<string> {
  const names = [request.headers.host]
  if (dependencies.trustProxy(request.socket.remoteAddress ?? '')) {
    names.push(...(headerOf(request, 'x-forwarded-host') ?? '').split(',').map((name) => name.trim()))
  }
  if (dependencies.publicUrl !== undefined) names.push(new URL(dependencies.publicUrl).host)
  return new Set(names.map(hostOf).filter((host) => host !== undefined))
}
