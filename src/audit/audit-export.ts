import type { AuditRecord } from './audit-log.js'

export const EXPORT_FORMATS = ['csv', 'json'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

const COLUMNS = [
  'id',
  'at',
  'type',
  'outcome',
  'actorKind',
  'actorId',
  'actorName',
  'address',
  'objectId',
  'objectName',
  'requestId',
  'details',
] as const satisfies readonly (keyof AuditRecord)[]

/** The events as text, line by line with its end: CSV (RFC 4180) with a head, or one JSON array. */
export async function* exportEvents(
  events: AsyncIterable<AuditRecord>,
  format: ExportFormat,
): AsyncGenerator<string, void> {
  if (format === 'csv') {
    yield COLUMNS.join(',') + '\r\n'
    for await (const event of events) yield csvLine(event)
    return
  }
  yield '[\n'
  let waiting: string | undefined
  for await (const event of events) {
    if (waiting !== undefined) yield waiting + ',\n'
    waiting = JSON.stringify(Object.fromEntries(COLUMNS.map((name) => [name, event[name] ?? null])))
  }
  if (waiting !== undefined) yield waiting + '\n'
  yield ']\n'
}

function csvLine(event: AuditRecord): string {
  return COLUMNS.map((name) => csvCell(textOf(event[name]))).join(',') + '\r\n'
}

function textOf(value: AuditRecord[keyof AuditRecord]): string {
  if (value === undefined) return ''
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/**
 * One cell. A spreadsheet would run what begins like a formula: such a cell gets an apostrophe before it
 * (https://owasp.org/www-community/attacks/CSV_Injection).
 */
export function csvCell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]|^'|^\s|\s$/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
