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
  visitor: Visitor,
  isTrusted: (address: string) => boolean,
): Client {
  return clientAt(clientAddress(request, isTrusted), request, visitor)
}

/** The same, where the address is known already. */
export function clientAt(address: string, request: IncomingMessage, { via, credential }: Visitor): Client {
  return {
    address,
    userAgent: request.headers['user-agent'] ?? '',
    requestId: requestIdOf(request),
    via,
    credential: credential?.name,
  }
}
