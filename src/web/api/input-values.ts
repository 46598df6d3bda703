import { pipe, z } from 'zod'

/** A whole number in a path or query. */
export function integer(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`
  const digits = z
    .string(message)
    .regex(/^\d{1,16}$/, message)
    .transform(Number)
  return pipe(digits, z.int(message).min(min, message).max(max, message))
}

/** The number of a user, server or anything else that has one. */
export const id = integer(1, Number.MAX_SAFE_INTEGER)

/** Path parameters of whatever is known by one number. */
export const idParams = z.strictObject({ id })

/** The same number in a body. */
export const idInBody = z.int().min(1)

const trueOrFalse = z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true')

/** Yes or no in a query. */
export const flag = pipe(trueOrFalse, z.boolean())

/** What is searched for. */
export const searchText = z
  .string()
  .min(1, 'must not be empty')
  .max(200, 'must not be longer than 200 characters')
  // eslint-disable-next-line no-control-regex
  .refine((text) => !/[\u0000-\u001f\u007f]/.test(text), 'must not hold control characters')

/** A field to sort by; descending with a minus in front. */
export function sortBy<const F extends string>(...fields: readonly F[]) {
  const choices = fields.flatMap((field) => [field, `-${field}` as const])
  return z.enum(choices, `must be one of ${choices.join(', ')}`)
}

/** A time in a query or body, e.g. 2027-01-31T18:00:00Z. */
export const time = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: 'must be a date as 2027-01-31 or a time as 2027-01-31T18:00:00Z',
  })
  .refine((text) => !Number.isNaN(Date.parse(text)), 'must be a time that exists')
