import type { IncomingMessage } from 'node:http'
import type { Client } from '../vfs/observer.js'
import { clientAddress } from './client-address.js'
import { requestIdOf } from './request-id.js'

/** As `AuthenticatedUser` of `auth/`. */
export interface Visitor {
  readonly username: string
  readonly via: Client['via']
  readonly credential?: { readonly name: string } | undefined
}

/** Who is at the other end of an authenticated request. */
export function requestClient(
  request: IncomingMessage,
  { via, credential }: Visitor,
  isTrusted: (address: string) => boolean,
): Client {
  return {
    address: clientAddress(request, isTrusted),
    userAgent: request.headers['user-agent'] ?? '',
    requestId: requestIdOf(request),
    via,
    credential: credential?.name,
  }
}
