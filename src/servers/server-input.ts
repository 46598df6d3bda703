import { z } from 'zod'
import type { Problem } from '../errors.js'
import type { Protocol } from '../storage/driver.js'
import { normalizeFingerprint } from './fingerprint.js'
import { hostProblem } from './host.js'
import type { ServerTrust } from './server.js'

export const PROTOCOLS = ['ftp', 'ftps', 'ftps-implicit', 'sftp'] as const satisfies readonly Protocol[]

export const DEFAULT_PORTS: Readonly<Record<Protocol, number>> = {
  ftp: 21,
  ftps: 21,
  'ftps-implicit': 990,
  sftp: 22,
}

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/** A folder name that every client can show, Windows included. Two aliases differ by more than case. */
export const alias = z
  .string()
  .transform((text) => text.normalize('NFC'))
  .superRefine((text, context) => {
    const problem = aliasProblem(text)
    if (problem !== undefined) context.addIssue(problem)
  })

function aliasProblem(text: string): string | undefined {
  if (text === '') return 'must not be empty'
  if ([...text].length > 64 || Buffer.byteLength(text) > 255) return 'must not be longer than 64 characters'
  if (CONTROL.test(text) || !text.isWellFormed()) return 'must not hold control characters'
  if (/[/\\:*?"<>|]/.test(text)) return 'is a folder name and must not hold / \\ : * ? " < > |'
  if (/^[\s.]|[\s.]$/u.test(text)) return 'must not begin or end with a blank or a dot'
  return undefined
}

const host = z
  .string()
  .transform((text) => text.toLowerCase())
  .superRefine((text, context) => {
    const problem = text === '' ? 'is required' : hostProblem(text)
    if (problem !== undefined) context.addIssue(problem)
  })

const port = z
  .number({ error: 'must be a number from 1 to 65535' })
  .int('must be a number from 1 to 65535')
  .min(1, 'must be a number from 1 to 65535')
  .max(65535, 'must be a number from 1 to 65535')

/**
 * A name or password that is sent to a server as it is. Control characters would end a command of FTP (RFC 959 5.3.1), so
 * none gets in.
 */
export function remoteText(maxBytes: number) {
  return z
    .string()
    .min(1, 'must not be empty')
    .refine((text) => !CONTROL.test(text), 'must not hold control characters (line breaks, NUL)')
    .refine((text) => Buffer.byteLength(text) <= maxBytes, `must not be longer than ${maxBytes} bytes`)
    .refine((text) => text.isWellFormed(), 'must be well-formed text')
}

export const remoteUser = remoteText(255)
export const remotePassword = remoteText(1024)

const fingerprint = z
  .string()
  .refine(
    (text) => normalizeFingerprint(text) !== undefined,
    'must read SHA256: and 43 characters of base64, or be 32 bytes in hex',
  )

/** One of three; plain ftp has nothing to trust. */
export const trust = z
  .strictObject({
    fingerprint: z
      .union([fingerprint, z.array(fingerprint).min(1).max(16)], {
        error: 'must be one fingerprint or a list of them: SHA256: and 43 characters of base64, or 32 bytes in hex',
      })
      .optional(),
    publicCa: z.literal(true, { error: 'must be true when given' }).optional(),
    firstUse: z.literal(true, { error: 'must be true when given' }).optional(),
  })
  .refine((input) => Object.values(input).filter((value) => value !== undefined).length === 1, {
    error: 'must name one of fingerprint, publicCa: true or firstUse: true',
  })

export type TrustInput = z.output<typeof trust>

/** What an admin said, as it is stored. */
export function serverTrustOf({ fingerprint, publicCa, firstUse }: TrustInput): ServerTrust {
  if (firstUse) return { kind: 'first-use' }
  if (publicCa) return { kind: 'public-ca' }
  const fingerprints = [fingerprint ?? []].flat().flatMap((text) => normalizeFingerprint(text) ?? [])
  return { kind: 'pinned', fingerprints, firstUse: false }
}

function limit(max: number) {
  const message = `must be a number from 1 to ${max}`
  return z.number({ error: message }).int(message).min(1, message).max(max, message).nullable().optional()
}

const limits = z.strictObject({
  maxConnections: limit(10_000),
  maxConnectionsPerAccount: limit(1000),
})

/** What an admin may say about a server; null takes something away. */
export const serverFields = z.strictObject({
  alias,
  protocol: z.enum(PROTOCOLS, { error: `must be one of ${PROTOCOLS.join(', ')}` }),
  host,
  port: port.optional(),
  trust: trust.optional(),
  adminUser: remoteUser.nullable().optional(),
  adminPassword: remotePassword.nullable().optional(),
  limits: limits.optional(),
  encoding: z.enum(['utf8', 'latin1'], { error: 'must be utf8 or latin1' }).optional(),
  homes: z.enum(['auto', 'shared', 'separate'], { error: 'must be auto, shared or separate' }).optional(),
  upload: z.enum(['auto', 'atomic', 'direct'], { error: 'must be auto, atomic or direct' }).optional(),
})

export const serverChanges = serverFields.partial()

export type NewServer = z.input<typeof serverFields>
export type ServerChanges = z.input<typeof serverChanges>

/** Rules about more than one field, on the server as it would become. */
export function serverProblems(server: {
  readonly protocol: Protocol
  readonly trust: ServerTrust
  readonly maxConnections: number | null
  readonly maxConnectionsPerAccount: number | null
  readonly encoding: string
}): Problem[] {
  const problems: Problem[] = []
  const { protocol, trust } = server
  if (protocol === 'ftp' && trust.kind !== 'none') {
    problems.push({
      field: 'trust',
      message: 'has no meaning for plain ftp, where nothing can be checked: leave it out',
    })
  }
  if (protocol !== 'ftp' && trust.kind === 'none') {
    const choices = protocol === 'sftp' ? 'fingerprint or firstUse' : 'fingerprint, publicCa or firstUse'
    problems.push({ field: 'trust', message: `is required for ${protocol}: give ${choices}` })
  }
  if (protocol === 'sftp' && trust.kind === 'public-ca') {
    problems.push({ field: 'trust.publicCa', message: 'is for ftps; host keys of sftp are known by their fingerprint' })
  }
  if (protocol === 'sftp' && server.encoding === 'latin1') {
    problems.push({ field: 'encoding', message: 'is for ftp and ftps; names on sftp servers are UTF-8' })
  }
  if ((server.maxConnectionsPerAccount ?? 1) > (server.maxConnections ?? Infinity)) {
    problems.push({ field: 'limits.maxConnectionsPerAccount', message: 'must not be above limits.maxConnections' })
  }
  return problems
}
