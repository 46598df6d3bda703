/** Counts and latencies of one kind of request. */
class Row {
  readonly times: number[] = []
  explained = 0
  unexpected = 0
  aborted = 0
}

/** What the load saw, by kind of request. */
export class Tally {
  readonly #rows = new Map<string, Row>()
  readonly unexpected: string[] = []

  #row(kind: string): Row {
    let row = this.#rows.get(kind)
    if (row === undefined) this.#rows.set(kind, (row = new Row()))
    return row
  }

  ok(kind: string, ms: number): void {
    this.#row(kind).times.push(ms)
  }

  aborted(kind: string): void {
    this.#row(kind).aborted++
  }

  /** An answer that a fault which ran then explains. */
  explained(kind: string): void {
    this.#row(kind).explained++
  }

  surprise(kind: string, what: string): void {
    this.#row(kind).unexpected++
    if (this.unexpected.length < 50) this.unexpected.push(what)
  }

  get requests(): number {
    let sum = 0
    for (const { times, explained, unexpected, aborted } of this.#rows.values()) {
      sum += times.length + explained + unexpected + aborted
    }
    return sum
  }

  table(): string {
    const head = ['request', 'ok', 'aborted', 'by a fault', 'unexpected', 'p50 ms', 'p95 ms', 'p99 ms']
    const lines = [...this.#rows].sort().map(([kind, { times, explained, unexpected, aborted }]) => {
      const sorted = [...times].sort((a, b) => a - b)
      const at = (p: number) => String(Math.round(sorted[Math.floor((sorted.length - 1) * p)] ?? 0))
      return [kind, times.length, aborted, explained, unexpected, at(0.5), at(0.95), at(0.99)].map(String)
    })
    const widths = head.map((name, i) => Math.max(name.length, ...lines.map((line) => line[i]?.length ?? 0)))
    const format = (cells: readonly string[]) =>
      cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')
    return [head, ...lines].map(format).join('\n')
  }
}
