import { ValidationError } from '../../errors.js'
import { parseCsv } from './csv.js'

export interface CsvRow {
  /** The first line, with the names, is 1. */
  readonly line: number
  readonly cells: ReadonlyMap<string, string>
}

/**
 * The rows of a CSV text whose first line names the columns, in any case.
 * @param columns that there may be
 * @throws ValidationError for what cannot be read, columns that are not known or come twice, no row or more than `maxRows`
 */
export function readTable(text: string, columns: readonly string[], maxRows: number): CsvRow[] {
  const [written, ...rows] = parseCsv(text) ?? refuse('must not hold a quoted value without an end')
  if (!written) return refuse('is empty: its first line names the columns')
  const known = new Map(columns.map((name) => [name.toLowerCase(), name]))
  const header = written.map((name) => known.get(name.trim().toLowerCase()))
  const wrong = written.filter((_, index) => !header[index] || header.indexOf(header[index]) !== index)
  if (wrong.length > 0) {
    const message = `is no column, or comes twice; the first line names the columns, of ${columns.join(', ')}`
    throw new ValidationError(wrong.map((name) => ({ field: name.slice(0, 64) || 'column', message })))
  }
  if (rows.length === 0) return refuse('has no line below its first one')
  if (rows.length > maxRows) return refuse(`must not have more than ${maxRows} rows`)
  return rows.map((cells, index) => {
    const line = index + 2
    if (cells.length !== header.length) return refuse(`line ${line} has another number of values than the first line`)
    return { line, cells: new Map(header.map((name = '', column) => [name, cells[column] ?? ''])) }
  })
}

function refuse(message: string): never {
  throw new ValidationError([{ field: 'body', message }])
}
