import { z } from 'zod'
import {
  provisionerSecret,
  provisionerSettings,
  SECRETS_OF_KIND,
  type ProvisionerSettings,
} from '../../../sync/provisioner-settings.js'
import { listOf } from '../../page/form.js'

export type Kind = ProvisionerSettings['kind']

interface Described {
  /** As in `settings.ssh.port`: of the form's field, and of what the service says is wrong with it. */
  readonly name: string
  readonly label: string
  readonly help: string | undefined
  /** In a group: once something of it is given. */
  readonly required: boolean
}

/** `lines`: a list of texts, one on each line. */
export interface SettingField extends Described {
  readonly input: 'text' | 'number' | 'lines' | 'choice' | 'choices'
  readonly options: readonly string[]
  /** What an empty form shows. */
  readonly initial: string
}

export interface SettingGroup extends Described {
  readonly input: 'group'
  readonly fields: readonly SettingField[]
}

export interface KindOfAccounts {
  readonly kind: Kind
  readonly label: string
  readonly help: string | undefined
  readonly settings: readonly (SettingField | SettingGroup)[]
  /** Of the gateway's own login there; no page ever shows their values. */
  readonly secrets: readonly SettingField[]
  /** Accounts there may log in with a key. */
  readonly keys: boolean
}

type Schema = z.core.JSONSchema.BaseSchema

/** Every kind of provisioner with its form, read off the schemas that judge what comes back. */
export const KINDS: readonly KindOfAccounts[] = provisionerSettings.options.map((option) => {
  const schema = schemaOf(option)
  const kind = option.shape.kind.value
  const { login, keys } = SECRETS_OF_KIND[kind]
  const secrets = schemaOf(provisionerSecret)
  return {
    ...{ kind, keys, label: schema.title ?? kind, help: schema.description },
    settings: entriesOf('settings', schema).filter(({ name }) => name !== 'settings.kind'),
    secrets: login.flatMap((name) => {
      const property = secrets.properties?.[name]
      return typeof property === 'object' ? [fieldOf(`secrets.${name}`, property, false)] : []
    }),
  }
})

export const kindNamed = (name: unknown): KindOfAccounts | undefined => KINDS.find(({ kind }) => kind === name)

function schemaOf(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, { io: 'input' })
}

function entriesOf(prefix: string, { properties = {}, required = [] }: Schema): (SettingField | SettingGroup)[] {
  return Object.entries(properties).flatMap(([key, property]): (SettingField | SettingGroup)[] => {
    if (typeof property !== 'object') return []
    const name = `${prefix}.${key}`
    const needed = required.includes(key)
    if (property.type !== 'object') return [fieldOf(name, property, needed)]
    const fields = entriesOf(name, property).filter((entry): entry is SettingField => entry.input !== 'group')
    return [{ ...describedBy(name, property, needed), input: 'group', fields }]
  })
}

function fieldOf(name: string, schema: Schema, required: boolean): SettingField {
  const described = describedBy(name, schema, required)
  const initial = textOf(schema.default)
  const items = typeof schema.items === 'object' && !Array.isArray(schema.items) ? schema.items : {}
  if (schema.type === 'array' && items.enum) {
    return { ...described, input: 'choices', options: items.enum.map(String), initial }
  }
  const input = schema.enum
    ? 'choice'
    : schema.type === 'array'
      ? 'lines'
      : schema.type === 'integer'
        ? 'number'
        : 'text'
  return { ...described, input, options: schema.enum?.map(String) ?? [], initial }
}

function describedBy(name: string, { title, description }: Schema, required: boolean): Described {
  return { name, label: title ?? lastOf(name), help: description?.replaceAll('`', ''), required }
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => lineOf(String(item))).join('\n')
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** Blank lines and spaces at the ends of lines do not count: a text that is more than that is written in quotes. */
function lineOf(text: string): string {
  return text === '' || text !== text.trim() || text.startsWith('"') ? JSON.stringify(text) : text
}

function ofLine(line: string): string {
  if (!line.startsWith('"')) return line
  try {
    return z.string().parse(JSON.parse(line))
  } catch {
    // Somebody begins a text with a quote and means just that.
    return line
  }
}

/** What the form of a kind shows of `settings`, by field; without them its defaults. */
export function textsOfSettings({ settings: entries }: KindOfAccounts, settings?: object): Record<string, string> {
  return Object.fromEntries(
    fieldsIn(entries).map(({ name, initial }) => {
      const value = name.split('.').slice(1).reduce(memberOf, settings)
      return [name, value === undefined ? initial : textOf(value)]
    }),
  )
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
}

function fieldsIn(entries: readonly (SettingField | SettingGroup)[]): SettingField[] {
  return entries.flatMap((entry) => (entry.input === 'group' ? entry.fields : [entry]))
}

/**
 * Settings as the form says them, for the service to judge.
 * @param needed groups that are sent also when they are empty, so that the service says what they lack
 */
export function settingsOf(
  body: unknown,
  { kind, settings }: KindOfAccounts,
  needed: readonly string[],
): Record<string, unknown> {
  const found: Record<string, unknown> = { kind }
  for (const entry of settings) {
    const value = entry.input === 'group' ? groupOf(body, entry, needed) : valueOf(body, entry)
    if (value !== undefined) found[lastOf(entry.name)] = value
  }
  return found
}

function groupOf(body: unknown, group: SettingGroup, needed: readonly string[]): object | undefined {
  const given = group.fields.map((field) => [lastOf(field.name), valueOf(body, field)] as const)
  const untouched = group.fields.every((field) => {
    const text = listOf(body, field.name).join('\n').trim()
    return text === '' || text === field.initial
  })
  if (untouched && !group.required && !needed.includes(group.name)) return undefined
  return Object.fromEntries(given.filter(([, value]) => value !== undefined))
}

/** Undefined: left out, so that the default holds. */
function valueOf(body: unknown, { name, input }: SettingField): unknown {
  if (input === 'choices') return listOf(body, name)
  const text = listOf(body, name)[0] ?? ''
  if (text.trim() === '') return undefined
  if (input === 'number') return Number(text)
  if (input !== 'lines') return text.trim()
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  return lines.filter((line) => line !== '').map(ofLine)
}

function lastOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}
