import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import { ValidationError } from '../../errors.js'

type Cell = string | number | boolean | Date | null | undefined

/**
 * One line (RFC 4180). Every field is in quotes, and one that a spreadsheet would take for a formula has an apostrophe in
 * front (OWASP, "CSV Injection").
 */
export function csvLine(cells: readonly Cell[]): string {
  const texts = cells.map((cell) => (cell instanceof Date ? cell.toISOString() : cell == null ? '' : String(cell)))
  return stringify([texts], { quoted: true, quoted_empty: true, escape_formulas: true, record_delimiter: 'windows' })
}

export interface CsvRow {
  /** In the file, the first one is 1. */
  readonly line: number
  readonly cells: ReadonlyMap<string, string>
}

/**
 * The rows of a CSV text with a header, separated by comma or semicolon.
 * @param columns that there may be
 * @throws ValidationError for what cannot be read, columns that are not known or come twice, more than `maxRows`
 */
export function parseCsv(text: string, columns: readonly string[], maxRows: number): CsvRow[] {
  const records = recordsOf(text)
  const [header, ...rows] = records
  if (!header) throw refuse('must have a first line with the names of the columns')
  const unknown = header.cells.filter((name, index) => !columns.includes(name) || header.cells.indexOf(name) !== index)
  if (unknown.length > 0) {
    throw new ValidationError(
      unknown.map((name) => ({
        field: name.slice(0, 64),
        message: `is no column, or comes twice: ${columns.join(', ')}`,
      })),
    )
  }
  if (rows.length > maxRows) throw refuse(`must not have more than ${maxRows} rows`)
  return rows.map(({ line, cells }) => {
    if (cells.length !== header.cells.length)
      throw refuse(`line ${line} has another number of fields than the first line`)
    return { line, cells: new Map(header.cells.map((name, index) => [name, cells[index] ?? ''])) }
  })
}

function recordsOf(text: string): { line: number; cells: string[] }[] {
  const [first = ''] = text.split('\n', 1)
  try {
    const records = parse(text, {
      bom: true,
      delimiter: first.includes(';') && !first.includes(',') ? ';' : ',',
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: 10_000,
    }) as unknown as { record: string[]; info: { lines: number } }[]
    return records.map(({ record, info }) => ({ line: info.lines, cells: record }))
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw refuse(`cannot be read as CSV: ${error.message}`)
    throw error
  }
}

function refuse(message: string): ValidationError {
  return new ValidationError([{ field: 'body', message }])
}
