import fc from 'fast-check'

/** The part of JSON Schema that descriptions of operations use. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly format?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

/** Values that a schema allows, as far as it says; often the example. */
export function valid(schema: Schema, example?: unknown): fc.Arbitrary<unknown> {
  return example === undefined ? fromSchema(schema) : fc.oneof(fc.constant(example), fromSchema(schema))
}

function fromSchema(schema: Schema): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return fc.oneof(...choices.map((choice) => fromSchema(choice)))
  switch (schema.type) {
    case 'object':
      return fc.record(
        Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, field]) => [name, fromSchema(field)])),
        { requiredKeys: [...(schema.required ?? [])] },
      )
    case 'array':
      return fc.array(fromSchema(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 4, 4),
      })
    case 'integer':
      // Often one that exists.
      return fc.oneof(fc.integer(integerRange(schema, 3)), fc.integer(integerRange(schema, 2 ** 31)))
    case 'number':
      return fc.double({ noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'string':
      return text(schema)
    default:
      return fc.jsonValue({ maxDepth: 3 })
  }
}

function integerRange({ minimum = 0, maximum = Infinity }: Schema, most: number) {
  return { min: minimum, max: Math.max(minimum, Math.min(maximum, most)) }
}

function text({ format, pattern, minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<string> {
  if (format === 'date') return date().map((value) => value.slice(0, 10))
  if (format === 'date-time') return date()
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern))
  const length = { minLength, maxLength: Math.min(maxLength, minLength + 40) }
  return fc.oneof(
    fc.string(length),
    fc.stringMatching(/^[a-z][a-z0-9]{8,12}$/),
    fc.string({ ...length, unit: 'binary' }),
  )
}

function date(): fc.Arbitrary<string> {
  return fc
    .date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((value) => value.toISOString())
}

/** What an attacker or a broken program sends: any JSON, or something allowed with a part of it replaced, added or gone. */
export function broken(schema: Schema, example?: unknown): fc.Arbitrary<unknown> {
  const anything = fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(...NASTY))
  const mutated = fc.tuple(valid(schema, example), fc.nat(), anything, fc.constantFrom('replace', 'add', 'drop'))
  return fc.oneof(
    anything,
    mutated.map(([value, seed, other, how]) => mutate(value, seed, other, how)),
  )
}

const NASTY: readonly unknown[] = [
  '',
  '\u0000',
  '\ud800',
  "' OR 1=1 --",
  'a\r\nDELETE x',
  '=cmd()',
  '\u202e',
  'a'.repeat(5000),
  -1,
  0,
  1e308,
  2 ** 60,
  { $ne: '' },
  { toString: 1 },
  [[]],
  { constructor: { prototype: 1 } },
]

function mutate(value: unknown, seed: number, other: unknown, how: string): unknown {
  if (typeof value !== 'object' || value === null) return other
  const keys = Object.keys(value)
  const key = keys[seed % Math.max(1, keys.length)]
  if (how === 'add' || key === undefined) return { ...value, [NAMES[seed % NAMES.length] ?? 'x']: other }
  const entries = Object.entries(value).filter(([name]) => how !== 'drop' || name !== key)
  const changed = Object.fromEntries(entries.map(([name, part]) => [name, name === key ? other : part]))
  return Array.isArray(value) ? Object.values(changed) : changed
}

/** What must never be taken from a client. */
const NAMES = ['id', 'passwordHash', 'authVersion', 'createdAt', 'totpSecret', '__proto__', 'secretVersion', 'x']
