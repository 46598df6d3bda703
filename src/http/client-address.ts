import type { IncomingMessage } from 'node:http'

/**
 * Address of the client: the peer's, or what trusted proxies say stands before them. Forged entries of
 * `X-Forwarded-For` are to the left of the first address that is not trusted.
 */
export function clientAddress(request: IncomingMessage, isTrusted: (address: string) => boolean): string {
  let address = request.socket.remoteAddress ?? ''
  if (!isTrusted(address)) return address
  const header = request.headers['x-forwarded-for']
  const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').map((hop) => hop.trim())
  while (isTrusted(address)) {
    const next = hops.pop()
    if (next === undefined || next === '') break
    address = next
  }
  return address
}
