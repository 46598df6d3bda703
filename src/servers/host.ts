import { isIP, isIPv6 } from 'node:net'

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/

/**
 * What is wrong with `host` as the name or address of a server; undefined when nothing is. Numbers in disguise
 * (`2130706433`, `0177.0.0.1`, `0x7f.1`, `127.1`) are no names: resolvers read them as addresses (WHATWG URL, "ends in a
 * number"). Which addresses may be connected to is the dialer's rule, on every connect.
 */
export function hostProblem(host: string): string | undefined {
  if (host.includes('%')) return 'must not name a network zone'
  if (isIP(host) !== 0) {
    return isIPv6(host) && host.includes('.') ? 'must be written as the IPv4 address that it holds' : undefined
  }
  // eslint-disable-next-line no-control-regex
  if (/[^\u0000-\u007f]/.test(host)) return 'must be ASCII: write an international name in its xn-- form'
  if (host.length > 253) return 'must not be longer than 253 characters'
  const labels = host.toLowerCase().split('.')
  if (!labels.every((label) => LABEL.test(label))) return 'must be a host name or an IP address, without port or blanks'
  const last = labels.at(-1) ?? ''
  if (/^(\d+|0x[0-9a-f]*)$/.test(last)) return 'must be a host name or a whole IPv4 address of four decimal numbers'
  return undefined
}
