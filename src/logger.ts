import { randomBytes } from 'node:crypto'
import { pino, type DestinationStream } from 'pino'

export type { Logger } from 'pino'

/** Loaded where somebody looks on. */
const pretty = process.stdout.isTTY ? (await import('pino-pretty')).build : undefined

export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const SECRET_FIELDS = [
  'password',
  'passwordHash',
  'password_hash',
  'adminPassword',
  'admin_pass',
  'user_pass',
  'pass',
  'secret',
  'masterKey',
  'privateKey',
  'passphrase',
  'token',
  'authorization',
  'Authorization',
  'cookie',
  'set-cookie',
  // What Sequelize's errors carry: the values of a statement.
  'parameters',
  'sql',
  'parent',
  'original',
]
/** Bytes that wait while the log cannot be written. */
const LARGEST_BACKLOG = 1024 * 1024
const DEPTHS = ['', '*.', '*.*.']

/** `://user:password@`, in whatever text it turned up. */
const URL_CREDENTIALS = /:\/\/[^\s/"@\\]{1,512}@/g

/** Takes credentials out of the URLs in a text. */
export function scrub(text: string): string {
  return text.includes('://') ? text.replace(URL_CREDENTIALS, '://[redacted]@') : text
}

export interface LoggerOptions {
  readonly level: LogLevel
  /** Default: standard output; readable on a terminal, JSON lines elsewhere. */
  readonly destination?: DestinationStream | undefined
}

/** One JSON object a line. Fields that hold secrets by their name, and credentials in URLs, never leave the process. */
export function createLogger({ level, destination }: LoggerOptions) {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: DEPTHS.flatMap((depth) => SECRET_FIELDS.map((field) => `${depth}${bracketed(field)}`)).map(withoutDot),
        censor: '[redacted]',
      },
      hooks: { streamWrite: scrub },
    },
    destination ?? standardOutput(),
  )
}

const ID_BYTES = 8
/** Fetched for many ids at once: asking for eight bytes costs as much as asking for a thousand. */
let randomness = Buffer.alloc(0)

/** Eight random bytes in hex: names one request in logs, answers and problem reports. */
export function newRequestId(): string {
  if (randomness.length === 0) randomness = randomBytes(128 * ID_BYTES)
  const id = randomness.toString('hex', 0, ID_BYTES)
  randomness = randomness.subarray(ID_BYTES)
  return id
}

function standardOutput(): DestinationStream {
  if (pretty) return pretty({ colorize: true, sync: true, translateTime: 'HH:MM:ss.l' })
  const output = pino.destination({ dest: 1, sync: true, maxLength: LARGEST_BACKLOG })
  // A full disk or a reader that went away costs lines of the log, never a request.
  output.on('error', () => undefined)
  return output
}

function bracketed(field: string): string {
  return field.includes('-') ? `["${field}"]` : field
}

/** `*.["set-cookie"]` is written `*["set-cookie"]`. */
function withoutDot(path: string): string {
  return path.replace('.["', '["')
}
