import { BlockList, isIP } from 'node:net'
import { z } from 'zod'

/** One option: `read` gives undefined for what it cannot take, and `expected` says what it can. */
function option<T>(read: (value: unknown) => T | undefined, expected: string) {
  return z.unknown().transform((value, context): T => {
    const result = read(value)
    if (result !== undefined) return result
    context.addIssue({ code: 'custom', message: expected })
    return z.NEVER
  })
}

/** Files give numbers, variables give text. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\d{1,15}$/.test(value.trim()) ? Number(value) : undefined
}

export function integer(min: number, max: number) {
  return option((value) => {
    const number = numberOf(value)
    return number !== undefined && Number.isInteger(number) && number >= min && number <= max ? number : undefined
  }, `must be a whole number from ${min} to ${max}`)
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** @returns milliseconds */
export function duration(min: string, max: string) {
  const [least = 0, most = 0] = [millisecondsOf(min), millisecondsOf(max)]
  return option((value) => {
    const ms = millisecondsOf(value)
    return ms !== undefined && ms >= least && ms <= most ? ms : undefined
  }, `must be a duration from ${min} to ${max}, written as a number with ms, s, m, h or d, e.g. 10s`)
}

function millisecondsOf(value: unknown): number | undefined {
  const match = typeof value === 'string' ? /^(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|h|d)$/.exec(value.trim()) : null
  return match ? Math.round(Number(match[1]) * (UNITS[match[2] ?? ''] ?? NaN)) : undefined
}

const SIZES: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** @returns bytes */
export function size(min: number, max: number) {
  return option((value) => {
    const match = /^(\d{1,12})\s*(|KiB|MiB|GiB)$/.exec(
      typeof value === 'number' ? String(value) : (textOf(value) ?? ''),
    )
    const bytes = match ? Number(match[1]) * (SIZES[match[2] ?? ''] ?? NaN) : NaN
    return bytes >= min && bytes <= max ? bytes : undefined
  }, `must be a size from ${min} to ${max} bytes, e.g. 64KiB`)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

export function text() {
  return option(textOf, 'must be a text')
}

/** Secrets are taken as they are, spaces included. Numbers are refused: YAML would have changed them. */
export function secret() {
  return optional(
    option(
      (value) => (typeof value === 'string' && value !== '' ? value : undefined),
      'must be a text; put it in quotes',
    ),
  )
}

export function choice<const T extends readonly string[]>(values: T) {
  return option(
    (value) => values.find((known): known is T[number] => known === textOf(value)),
    `must be one of ${values.join(', ')}`,
  )
}

export function optional<S extends z.ZodType>(schema: S) {
  return schema.optional()
}

/** The origin of a URL: `https://drive.example.com`. */
export function origin() {
  return option((value) => {
    const given = textOf(value)
    if (given === undefined || !URL.canParse(given)) return undefined
    const url = new URL(given)
    const plain = ['http:', 'https:'].includes(url.protocol) && url.pathname === '/' && url.href === url.origin + '/'
    return plain ? url.origin : undefined
  }, 'must be an address like https://drive.example.com, without a path')
}

/** Addresses and networks: a list in a file, separated by commas in a variable. */
export function networks() {
  return option((value) => {
    const list = typeof value === 'string' ? value.split(',') : value
    if (!Array.isArray(list)) return undefined
    const texts = list.map(textOf).filter((entry) => entry !== undefined)
    return texts.length === list.length && texts.every(isNetwork) ? texts : undefined
  }, 'must be a list of addresses or networks, e.g. 10.0.0.0/8')
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  if (prefix === undefined) return true
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 6 ? 128 : 32)
}

/** Whether an address lies in one of `list`, entries as `networks` takes them. IPv4 counts in its IPv6 form too. */
export function addressMatcher(list: readonly string[]): (address: string) => boolean {
  // As most gateways have it; a `BlockList` costs several microseconds of each request.
  if (list.length === 0) return () => false
  const blocks = new BlockList()
  for (const entry of list) {
    const [address = '', prefix] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) blocks.addAddress(address, family)
    else blocks.addSubnet(address, Number(prefix), family)
  }
  return (address) => {
    const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
    const family = isIP(plain)
    return family !== 0 && blocks.check(plain, family === 6 ? 'ipv6' : 'ipv4')
  }
}
