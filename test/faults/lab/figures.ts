import { expect } from 'chai'
import { appendFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.join(import.meta.dirname, '../../..')
/** One line per test: what docs/faults.md is made from. Written where FAULTS is set, to `full` or to `part`. */
export const FIGURES = path.join(ROOT, '.lab/faults.jsonl')

export interface Figure {
  readonly title: string
  readonly file: string
  readonly measured: readonly string[]
  readonly failed?: true
}

/** So much longer may it take on a busy machine. */
const SLACK = 3

/** What a test of a row measured. */
export class Notes {
  readonly texts: string[] = []

  say(text: string): void {
    this.texts.push(text)
  }

  /** A time that must stay within its bound, both in milliseconds, or near it: machines of tests are busy. */
  within(what: string, ms: number, bound: number): void {
    this.texts.push(`${what} ${readable(ms)}`)
    expect(ms, `${what}, within ${readable(bound)}`).to.be.at.most(SLACK * bound + 1_000)
  }

  /** A time whose bound is so wide already that nothing is added for a busy machine. */
  atMost(what: string, ms: number, bound: number): void {
    this.texts.push(`${what} ${readable(ms)}`)
    expect(ms, `${what}, at most ${readable(bound)}`).to.be.at.most(bound)
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
  measured(`row ${rows.join(' and ')}: ${title}`, body)
}

/** A test whose notes end up in docs/faults.md. */
export function measured(title: string, body: (notes: Notes) => Promise<void>): void {
  it(title, async function () {
    const notes = new Notes()
    if (this.test !== undefined) NOTES.set(this.test, notes)
    await body(notes)
  })
}

const NOTES = new WeakMap<object, Notes>()

function record(test: Mocha.Test): void {
  const file = path.relative(ROOT, test.file ?? '').replaceAll('\\', '/')
  mkdirSync(path.dirname(FIGURES), { recursive: true })
  const title = test.title.startsWith('row ') ? test.title : test.fullTitle()
  const failed = test.state === 'failed'
  const figure: Figure = { title, file, measured: NOTES.get(test)?.texts ?? [], ...(failed ? { failed } : {}) }
  appendFileSync(FIGURES, JSON.stringify(figure) + '\n')
}

// For every test, also those that measure nothing: the page tells which held and which failed.
if (process.env['FAULTS'] !== undefined && typeof afterEach === 'function') {
  afterEach(function () {
    if (this.currentTest?.state !== undefined) record(this.currentTest)
  })
}
