import { expect } from 'chai'
import { appendFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.join(import.meta.dirname, '../../..')
/** One line per test of a row: what docs/faults.md is made from. */
export const FIGURES = path.join(ROOT, '.lab/faults.jsonl')

export interface Figure {
  readonly rows: readonly number[]
  readonly title: string
  readonly file: string
  readonly measured: readonly string[]
}

/** What a test of a row measured. */
export class Notes {
  readonly texts: string[] = []

  say(text: string): void {
    this.texts.push(text)
  }

  /** A time that must stay within its bound, both in milliseconds. */
  within(what: string, ms: number, bound: number): void {
    this.texts.push(`${what} ${readable(ms)}`)
    expect(ms, `${what}, within ${readable(bound)}`).to.be.at.most(bound)
  }
}

function readable(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/**
 * A test for rows of the fault matrix (docs/faults.md). Its title begins with their numbers, and what it notes ends up in
 * the table.
 */
export function row(numbers: number | readonly number[], title: string, body: (notes: Notes) => Promise<void>): void {
  const rows = typeof numbers === 'number' ? [numbers] : numbers
  const full = `row ${rows.join(' and ')}: ${title}`
  it(full, async function () {
    const notes = new Notes()
    await body(notes)
    const file = path.relative(ROOT, this.test?.file ?? '').replaceAll('\\', '/')
    mkdirSync(path.dirname(FIGURES), { recursive: true })
    const figure: Figure = { rows, title: full, file, measured: notes.texts }
    appendFileSync(FIGURES, JSON.stringify(figure) + '\n')
  })
}
