import { csvCell } from '../../audit/audit-export.js'
import type { Response } from 'express'

type CsvValue = string | number | Date | undefined

/** One line of RFC 4180 with its line end; no value runs as a formula. */
export function csvLine(values: readonly CsvValue[]): string {
  return `${values.map((value) => csvCell(textOf(value))).join(',')}\r\n`
}

function textOf(value: CsvValue): string {
  if (value === undefined) return ''
  return value instanceof Date ? value.toISOString() : String(value)
}

/** Answers with a CSV file that browsers save. @param name without the ending */
export function sendCsv(response: Response, name: string, lines: readonly string[]): void {
  response
    .attachment(`${name}.csv`)
    .set('Cache-Control', 'no-store')
    .type('text/csv; charset=utf-8')
    // Excel reads UTF-8 only behind a byte order mark.
    .send(`\uFEFF${lines.join('')}`)
}

/**
 * The rows of a CSV text (RFC 4180; `,` or `;` as the first line has it, any line end, byte order mark or not). Empty lines
 * are left out. The apostrophe that `csvLine` puts before formulas is taken away again.
 * @returns undefined when a quoted value has no end
 */
export function parseCsv(text: string): string[][] | undefined {
  const input = text.replace(/^\uFEFF/, '')
  const firstLine = input.slice(0, input.search(/[\r\n]|$/))
  const separator = firstLine.includes(';') && !firstLine.includes(',') ? ';' : ','
  const rows: string[][] = []
  let row: string[] = []
  let at = 0
  while (at < input.length) {
    const value = readValue(input, at, separator)
    if (value === undefined) return undefined
    row.push(value.text.replace(/^'(?=[=+\-@\t\r])/, ''))
    at = value.end
    if (input[at] === separator && at + 1 < input.length) at++
    else {
      if (input[at] === separator) row.push('')
      at += input.startsWith('\r\n', at) ? 2 : 1
      if (row.some((cell) => cell.trim() !== '')) rows.push(row)
      row = []
    }
  }
  return rows
}

function readValue(input: string, start: number, separator: string): { text: string; end: number } | undefined {
  if (input[start] !== '"') {
    let end = start
    while (end < input.length && input[end] !== separator && input[end] !== '\r' && input[end] !== '\n') end++
    return { text: input.slice(start, end), end }
  }
  let text = ''
  for (let at = start + 1; ;) {
    const quote = input.indexOf('"', at)
    if (quote === -1) return undefined
    text += input.slice(at, quote)
    if (input[quote + 1] !== '"') return { text, end: quote + 1 }
    text += '"'
    at = quote + 2
  }
}
