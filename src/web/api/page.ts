import { z } from 'zod'
import { integer } from './input-values.js'

const MAX_LIMIT = 200

/** Query parameters of every list. */
export const paging = {
  limit: integer(1, MAX_LIMIT).default(50).describe('How many at most.'),
  offset: integer(0, 1_000_000_000).default(0).describe('How many to skip.'),
}

/** The schema of one page. `total` counts what the filters leave, on all pages. */
export function pageOf<S extends z.ZodType>(item: S) {
  return z.object({ items: z.array(item), total: z.int(), limit: z.int(), offset: z.int() })
}

interface Range {
  readonly limit: number
  readonly offset: number
}

/** One page of a list that is in memory. */
export function cut<T>(items: readonly T[], { limit, offset }: Range) {
  return { items: items.slice(offset, offset + limit), total: items.length, limit, offset }
}

/** Compares by the fields of `sort`, see `sortBy`; text as people sort it. */
export function sorted<T extends object>(items: readonly T[], sort: string): T[] {
  const descending = sort.startsWith('-')
  const field = (descending ? sort.slice(1) : sort) as keyof T
  const sign = descending ? -1 : 1
  return [...items].sort((a, b) => sign * compare(a[field], b[field]))
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return collator.compare(a, b)
  const [first, second] = [rank(a), rank(b)]
  return first === second ? 0 : first - second
}

/** What is not there comes first. */
function rank(value: unknown): number {
  if (value instanceof Date) return value.getTime()
  return value === undefined || value === null ? -Infinity : Number(value)
}
