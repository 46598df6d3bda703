import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf, ValidationError, type Problem } from '../errors.js'
import { CONFIG_VARIABLE, layerOfEnvironment, layerOfFile, type Layer } from './layers.js'
import { configSchema, contradictions, type Options } from './schema.js'

/** `config/default.yaml` stands at the same distance from `src/config/` and `dist/config/`. */
const DEFAULTS_FILE = fileURLToPath(new URL('../../config/default.yaml', import.meta.url))

export type TlsConfig =
  | { readonly mode: 'off' }
  | { readonly mode: 'self-signed' }
  /** Paths of PEM files. */
  | { readonly mode: 'files'; readonly cert: string; readonly key: string }

type Flat = Omit<Options, 'tls' | 'tlsCert' | 'tlsKey' | 'databaseUrlFile' | 'adminPasswordFile' | 'masterKeyFile'> & {
  /** Where the key is, or is made, while `masterKey` is not given. */
  readonly masterKeyFile: string
}

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Item[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T

/** Judged and frozen. Durations in milliseconds, sizes in bytes, paths absolute, secrets read from their files. */
export type Config = Frozen<Flat> & { readonly tls: TlsConfig }

/**
 * The defaults, overridden by the file that `FTPCLUSTER_CONFIG` names, overridden by `FTPCLUSTER_*` variables.
 * The only reader of the environment.
 * @throws ValidationError with all problems at once, each under the name of the option or variable
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const problems: Problem[] = []
  const defaults = layerOfFile(DEFAULTS_FILE, problems)
  const known = new Set(defaults.keys())
  const file = env[CONFIG_VARIABLE]
  const layers = [
    defaults,
    ...(file ? [layerOfFile(file, problems, known)] : []),
    layerOfEnvironment(env, problems, known),
  ]
  const merged: Layer = new Map(layers.flatMap((layer) => [...layer]))
  const found: Problem[] = []
  const { options, complete } = judge(nested(merged), found)
  problems.push(...found.map(({ field, message }) => ({ field: merged.get(field)?.field ?? field, message })))
  if (!complete) throw new ValidationError(problems)
  const config = finish(options, merged, problems)
  if (problems.length > 0) throw new ValidationError(problems)
  return freeze(config)
}

/** Every option on its own first, so that what they say against each other is told in the same breath. */
function judge(
  input: Record<string, unknown>,
  problems: Problem[],
): { complete: true; options: Options } | { complete: false; options?: undefined } {
  const right: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(configSchema.shape)) {
    const result = schema.safeParse(input[name])
    if (result.success) right[name] = result.data
    else {
      const issues = result.error.issues.map(({ path, message }) => ({ field: [name, ...path].join('.'), message }))
      problems.push(...issues)
    }
  }
  const complete = problems.length === 0
  problems.push(...contradictions(right))
  return complete ? { complete, options: right as Options } : { complete }
}

/** `deadlines.connect` -> `{ deadlines: { connect } }` */
function nested(layer: Layer): Record<string, unknown> {
  const root: Record<string, unknown> = {}
  for (const [path, { value }] of layer) {
    const [group = '', name] = path.split('.')
    if (name === undefined) root[group] = value
    else root[group] = { ...(root[group] as object | undefined), [name]: value }
  }
  return root
}

function finish(options: Options, layer: Layer, problems: Problem[]): Config {
  const { tls, tlsCert, tlsKey, databaseUrlFile, adminPasswordFile, masterKeyFile, ...rest } = options
  const secret = (name: string, value: string | undefined, file: string | undefined): string | undefined => {
    if (file === undefined) return value
    const field = layer.get(`${name}File`)?.field ?? name
    try {
      const content = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
      if (content === '') problems.push({ field, message: `names a file that is empty: ${file}` })
      return content
    } catch (error) {
      problems.push({ field, message: `cannot be read: ${messageOf(error)}` })
      return undefined
    }
  }
  return {
    ...rest,
    dataDir: resolve(rest.dataDir),
    databaseUrl: secret('databaseUrl', rest.databaseUrl, databaseUrlFile),
    adminPassword: secret('adminPassword', rest.adminPassword, adminPasswordFile),
    // Not read here: a key file is judged, and made, where the key is used (`db/master-key.ts`).
    masterKeyFile: resolve(masterKeyFile ?? join(rest.dataDir, 'master.key')),
    tls: tls === 'files' ? { mode: tls, cert: resolve(tlsCert ?? ''), key: resolve(tlsKey ?? '') } : { mode: tls },
  }
}

function freeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) freeze(member as object)
  return Object.freeze(value)
}
