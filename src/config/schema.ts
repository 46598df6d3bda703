import { z } from 'zod'
import type { Problem } from '../errors.js'
import { LOG_LEVELS } from '../logger.js'
import { choice, duration, integer, networks, optional, origin, secret, size, text } from './options.js'

/** What may stand in a configuration. Names, defaults and meanings: `config/default.yaml`. */
export const configSchema = z.object({
  host: text(),
  port: integer(0, 65535),
  dataDir: text(),
  databaseUrl: secret(),
  databaseUrlFile: optional(text()),
  publicUrl: optional(origin()),
  tls: choice(['off', 'self-signed', 'files']),
  tlsCert: optional(text()),
  tlsKey: optional(text()),
  adminPassword: secret(),
  adminPasswordFile: optional(text()),
  masterKey: secret(),
  masterKeyFile: optional(text()),
  trustProxy: networks(),
  logLevel: choice(LOG_LEVELS),
  allowNetworks: networks(),
  deadlines: z.object({
    connect: duration('100ms', '5m'),
    metadata: duration('100ms', '10m'),
    firstByte: duration('100ms', '10m'),
    stall: duration('100ms', '1h'),
    wait: duration('0s', '5m'),
    clientIdle: duration('100ms', '1h'),
    sendStall: duration('100ms', '1h'),
  }),
  pool: z.object({
    perServer: integer(1, 10_000),
    perAccount: integer(1, 1000),
    queue: integer(0, 100_000),
    idle: duration('0s', '24h'),
    lifetime: duration('1s', '168h'),
    checkAfter: duration('0s', '24h'),
  }),
  breaker: z.object({
    failures: integer(1, 1000),
    pause: duration('10ms', '1h'),
    maxPause: duration('10ms', '24h'),
  }),
  cache: z.object({
    ttl: duration('0s', '1h'),
    maxEntries: integer(0, 100_000_000),
    files: size(0, 4 * 1024 ** 3),
  }),
  locks: z.object({
    maxTimeout: duration('1s', '24h'),
    maxPerUser: integer(1, 1_000_000),
  }),
  uploads: z.object({
    sweepEvery: duration('100ms', '24h'),
  }),
  sync: z.object({
    maxRemovals: integer(0, 1_000_000),
    pause: duration('10ms', '1h'),
    maxPause: duration('10ms', '24h'),
    oldSecretGrace: duration('0s', '24h'),
    commandsFolder: optional(text()),
  }),
  audit: z.object({
    retention: duration('0s', '36500d'),
    listings: choice(['off', 'coarse', 'all']),
  }),
  health: z.object({
    probeEvery: duration('0s', '24h'),
    slowAfter: duration('10ms', '5m'),
  }),
  metrics: z.object({
    access: choice(['off', 'token', 'open']),
    allow: networks(),
  }),
  limits: z.object({
    connections: integer(1, 1_000_000),
    connectionsPerAddress: integer(1, 1_000_000),
    headers: size(4096, 1024 ** 2),
    xmlBody: size(1024, 16 * 1024 ** 2),
    xmlDepth: integer(8, 256),
    body: size(1024, 64 * 1024 ** 2),
    apiRequests: integer(1, 1_000_000),
    folderItems: integer(1, 10_000_000),
    folderTime: duration('1s', '24h'),
  }),
  timeouts: z.object({
    headers: duration('100ms', '5m'),
    keepAlive: duration('1s', '1h'),
    drain: duration('0s', '1h'),
  }),
})

export type Options = z.output<typeof configSchema>

/** What options say against each other, judged among those that are right by themselves. */
export function contradictions(options: Partial<Options>): Problem[] {
  const problems: Problem[] = []
  const { tls, breaker, pool } = options
  for (const name of ['databaseUrl', 'adminPassword', 'masterKey'] as const) {
    if (options[name] !== undefined && options[`${name}File`] !== undefined) {
      problems.push({ field: `${name}File`, message: `is set and so is ${name}; keep one` })
    }
  }
  for (const field of ['tlsCert', 'tlsKey'] as const) {
    if (tls === 'files' && options[field] === undefined) {
      problems.push({ field, message: 'must name a PEM file, because tls is files' })
    }
    if (tls !== undefined && tls !== 'files' && options[field] !== undefined) {
      problems.push({ field, message: `is set, but tls is ${tls}; set tls to files` })
    }
  }
  if (breaker && breaker.maxPause < breaker.pause) {
    problems.push({ field: 'breaker.maxPause', message: 'must not be shorter than breaker.pause' })
  }
  if (pool && pool.perAccount > pool.perServer) {
    problems.push({ field: 'pool.perAccount', message: 'must not be more than pool.perServer' })
  }
  return problems
}
