import { z } from 'zod'
import { ValidationError, type Problem } from './errors.js'

/** When something ends. A date without time includes that day (UTC). */
export const endDate = z
  .union([z.date(), z.iso.datetime({ offset: true }), z.iso.date()], {
    error: 'must be a date as 2027-01-31 or a time as 2027-01-31T18:00:00Z',
  })
  .transform((value) => {
    if (value instanceof Date) return value
    return new Date(value.length === 10 ? `${value}T23:59:59.999Z` : value)
  })

/**
 * `input` as `schema` understands it: the one door for what people and programs write, whichever edge it came through.
 * @param prefix put in front of each field's name, e.g. `servers[2]`
 * @throws ValidationError with every problem, each naming its field
 */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown, prefix = ''): z.output<S> {
  const result = schema.safeParse(input, {
    error: (issue) => (issue.code === 'invalid_type' && issue.input === undefined ? 'is required' : undefined),
  })
  if (result.success) return result.data
  throw new ValidationError(result.error.issues.flatMap((issue) => problemsOf(issue, prefix)))
}

function problemsOf(issue: z.core.$ZodIssue, prefix: string): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: fieldName(prefix, [...issue.path, key]),
      message: 'is not a known field',
    }))
  }
  return [{ field: fieldName(prefix, issue.path) || 'input', message: issue.message }]
}

/** `['servers', 1, 'host']` -> `servers[1].host` */
function fieldName(prefix: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`
    return name === '' ? String(part) : `${name}.${String(part)}`
  }, prefix)
}
