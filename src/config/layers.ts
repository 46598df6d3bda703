import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { messageOf, type Problem } from '../errors.js'
import { nearest } from './nearest.js'

/** Where a value stands: `deadlines.connect` -> the value and the name that whoever set it knows. */
export type Layer = ReadonlyMap<string, { readonly value: unknown; readonly field: string }>

const PREFIX = 'FTPCLUSTER_'
/** Names the configuration file itself. */
export const CONFIG_VARIABLE = `${PREFIX}CONFIG`
/** What Kubernetes sets in every pod for a service that is called ftpcluster. */
const SERVICE_LINK = /^FTPCLUSTER_(SERVICE_(HOST|PORT.*)|PORT_\d+_.*)$/

/** `deadlines.firstByte` -> `FTPCLUSTER_DEADLINES_FIRST_BYTE` */
export function variableOf(path: string): string {
  return (
    PREFIX +
    path
      .replace(/([a-z])([A-Z])/g, '$1_$2')
      .replaceAll('.', '_')
      .toUpperCase()
  )
}

/** The options of a YAML file by path. What cannot be read, parsed or understood is added to `problems`. */
export function layerOfFile(file: string, problems: Problem[], known?: ReadonlySet<string>): Layer {
  const layer = new Map<string, { value: unknown; field: string }>()
  let content: unknown
  try {
    content = parse(readFileSync(file, 'utf8'))
  } catch (error) {
    problems.push({ field: file, message: `cannot be read: ${messageOf(error).trim()}` })
    return layer
  }
  if (content === null || content === undefined) return layer
  if (!isSection(content)) {
    problems.push({ field: file, message: 'must hold options as "name: value"' })
    return layer
  }
  const nameIn = (path: string) => (known ? `${file}: ${path}` : path)
  const walk = (section: Record<string, unknown>, prefix: string) => {
    for (const [key, value] of Object.entries(section)) {
      const path = prefix + key
      const isGroup = known ? isGroupOf(known, path) : isSection(value)
      const isOption = known ? known.has(path) : !isGroup
      if (isOption && !isSection(value)) layer.set(path, { value: value ?? undefined, field: nameIn(path) })
      else if (isGroup && isSection(value)) walk(value, `${path}.`)
      else if (!isGroup || value !== null) {
        problems.push({ field: nameIn(path), message: complaint(path, known ?? new Set()) })
      }
    }
  }
  walk(content, '')
  return layer
}

/** The options that `FTPCLUSTER_*` variables set; an empty variable counts as not set. */
export function layerOfEnvironment(env: NodeJS.ProcessEnv, problems: Problem[], known: ReadonlySet<string>): Layer {
  const pathByVariable = new Map([...known].map((path) => [variableOf(path), path]))
  const layer = new Map<string, { value: unknown; field: string }>()
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || variable === CONFIG_VARIABLE || value === undefined || value === '') continue
    const path = pathByVariable.get(variable)
    if (path !== undefined) layer.set(path, { value, field: variable })
    else if (!SERVICE_LINK.test(variable)) {
      const meant = nearest(
        variable.slice(PREFIX.length),
        [...pathByVariable.keys()].map((name) => name.slice(PREFIX.length)),
      )
      problems.push({ field: variable, message: unknownOption(meant && PREFIX + meant) })
    }
  }
  return layer
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isGroupOf(known: ReadonlySet<string>, path: string): boolean {
  return [...known].some((name) => name.startsWith(`${path}.`))
}

function complaint(path: string, known: ReadonlySet<string>): string {
  if (known.has(path)) return 'takes one value, not a group of options'
  const inside = [...known].filter((name) => name.startsWith(`${path}.`)).map((name) => name.slice(path.length + 1))
  if (inside.length > 0) return `is a group; set one of its options: ${inside.join(', ')}`
  return unknownOption(nearest(path, known))
}

function unknownOption(meant: string | undefined): string {
  return meant ? `is not a known option; did you mean ${meant}?` : 'is not a known option'
}
