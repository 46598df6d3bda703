import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { pipe, z } from 'zod'
import { ValidationError, type Problem } from '../errors.js'
import { parseInput } from '../parse-input.js'
import { credentials, permissionChanges } from '../permissions/permission-input.js'
import { remotePassword, serverFields } from '../servers/server-input.js'
import { provisionerInput } from '../sync/provisioner-service.js'
import { provisionerSecret } from '../sync/provisioner-settings.js'
import { hashedPassword, password, username } from '../users/user-input.js'
import { codeOf, withoutLineBreak } from './read-secret.js'

export type Environment = Readonly<Record<string, string | undefined>>
export type Cluster = z.output<ReturnType<typeof clusterSchema>>

/**
 * Reads a cluster file: what `ftpcluster apply` makes true. Secrets are literals, `{ env: NAME }` or `{ file: PATH }`, the
 * path being relative to the cluster file.
 * @throws ValidationError with every problem, by field (`servers[1].host`) or by line
 */
export function readClusterFile(path: string, env: Environment): Cluster {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ValidationError([{ field: path, message: `cannot be read (${codeOf(error)})` }])
  }
  return parseCluster(text, { env, folder: dirname(resolve(path)) })
}

/** @throws ValidationError */
export function parseCluster(text: string, place: { env: Environment; folder: string }): Cluster {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    throw new ValidationError(
      document.errors.map((error) => ({ field: `line ${lines.linePos(error.pos[0]).line}`, message: error.message })),
    )
  }
  const cluster = parseInput(clusterSchema(place), document.toJS() ?? {})
  const problems = [
    ...duplicates('servers', 'alias', cluster.servers, (server) => server.alias.toLowerCase()),
    ...duplicates('users', 'username', cluster.users, (user) => user.username),
    ...duplicates('permissions', 'server', cluster.permissions, (p) => `${p.user}\0${p.server.toLowerCase()}`),
  ]
  if (problems.length > 0) throw new ValidationError(problems)
  return cluster
}

function clusterSchema(place: { env: Environment; folder: string }) {
  const secret = secretSchema(place)
  const secrets = Object.fromEntries(
    Object.keys(provisionerSecret.shape).map((name) => [name, secret.nullable().optional()]),
  ) as Record<keyof typeof provisionerSecret.shape, z.ZodOptional<z.ZodNullable<typeof secret>>>
  const provisioner = provisionerInput.extend({ secrets: z.strictObject(secrets).nullable().optional() })
  const server = serverFields.extend({
    adminPassword: pipe(secret, remotePassword).optional(),
    enabled: z.boolean().optional(),
    provisioner: provisioner.optional(),
  })
  const user = z
    .strictObject({
      username,
      password: pipe(secret, password).optional(),
      passwordHash: hashedPassword.shape.hash.optional(),
      admin: z.boolean().optional(),
      disabled: z.boolean().optional(),
    })
    .refine((input) => input.password === undefined || input.passwordHash === undefined, {
      path: ['passwordHash'],
      error: 'must not be given together with a password',
    })
  const permission = z.strictObject({
    ...permissionChanges.shape,
    user: username,
    server: z.string().min(1),
    password: secret.optional(),
    privateKey: secret.optional(),
    passphrase: secret.optional(),
  })
  return z.strictObject({
    servers: z.array(server).default([]),
    users: z.array(user).default([]),
    permissions: z
      .array(
        permission.transform(({ password, privateKey, passphrase, ...rest }, context) => {
          const given = { ...(password !== undefined && { password }), ...(privateKey !== undefined && { privateKey }) }
          const checked = credentials.safeParse({ ...given, ...(passphrase !== undefined && { passphrase }) })
          if (!checked.success) {
            for (const { path, message } of checked.error.issues) context.addIssue({ code: 'custom', path, message })
            return z.NEVER
          }
          return { ...rest, credentials: checked.data }
        }),
      )
      .default([]),
  })
}

function secretSchema({ env, folder }: { env: Environment; folder: string }) {
  const forms = z.union([z.string(), z.strictObject({ env: z.string() }), z.strictObject({ file: z.string() })], {
    error: 'must be text (in quotes when it looks like a number), { env: NAME } or { file: PATH }',
  })
  return forms.transform((secret, context) => {
    if (typeof secret === 'string') return secret
    if ('env' in secret) {
      const value = env[secret.env]
      if (value !== undefined && value !== '') return value
      context.addIssue(`the environment variable ${secret.env} is not set`)
      return z.NEVER
    }
    try {
      return withoutLineBreak(readFileSync(resolve(folder, secret.file), 'utf8'))
    } catch (error) {
      context.addIssue(`the file ${secret.file} cannot be read (${codeOf(error)})`)
      return z.NEVER
    }
  })
}

function duplicates<T>(list: string, field: string, items: readonly T[], key: (item: T) => string): Problem[] {
  const first = new Map<string, number>()
  return items.flatMap((item, index) => {
    const earlier = first.get(key(item))
    if (earlier === undefined) first.set(key(item), index)
    return earlier === undefined
      ? []
      : [{ field: `${list}[${index}].${field}`, message: `is the same as ${list}[${earlier}]` }]
  })
}
