import { ValidationError } from '../../errors.js'
import { parseCsv } from '../page/csv.js'

export interface CsvRow {
  /** The first line, with the names, is 1. */
  readonly line: number
  readonly cells: ReadonlyMap<string, string>
}

/**
 * The rows of a CSV text whose first line names the columns.
 * @param columns that there may be
 * @throws ValidationError for what cannot be read, columns that are not known or come twice, more than `maxRows`
 */
export function readTable(text: string, columns: readonly string[], maxRows: number): CsvRow[] {
  const [header, ...rows] = parseCsv(text) ?? refuse('must not hold a quoted value without an end')
  if (!header) return refuse('must have a first line with the names of the columns')
  const wrong = header.filter((name, index) => !columns.includes(name) || header.indexOf(name) !== index)
  if (wrong.length > 0) {
    const message = `is no column, or comes twice; there are ${columns.join(', ')}`
    throw new ValidationError(wrong.map((name) => ({ field: name.slice(0, 64) || 'column', message })))
  }
  if (rows.length > maxRows) return refuse(`must not have more than ${maxRows} rows`)
  return rows.map((cells, index) => {
    const line = index + 2
    if (cells.length !== header.length) return refuse(`line ${line} has another number of values than the first line`)
    return { line, cells: new Map(header.map((name, column) => [name, cells[column] ?? ''])) }
  })
}

function refuse(message: string): never {
  throw new ValidationError([{ field: 'body', message }])
}
