const OUTCOMES = ['aborted', 'by a fault', 'machine', 'unexpected'] as const
/**
 * What became of a request that did not go well: given up on purpose; a fault that ran then explains it; the machine was too
 * busy for its deadlines; nothing explains it.
 */
export type Outcome = (typeof OUTCOMES)[number]

/** Part of the requests that may be excused by a busy machine. */
const STARVED = 0.05
/** As many always may: a short run has few requests. */
const FEW = 5

/** What the load saw, by kind of request. */
export class Tally {
  readonly #rows = new Map<string, { readonly times: number[]; readonly counts: Map<Outcome, number> }>()
  readonly unexpected: string[] = []

  #row(kind: string) {
    let row = this.#rows.get(kind)
    if (row === undefined) this.#rows.set(kind, (row = { times: [], counts: new Map() }))
    return row
  }

  /** @param ms from when it was due */
  ok(kind: string, ms: number): void {
    this.#row(kind).times.push(ms)
  }

  count(kind: string, outcome: Outcome): void {
    const { counts } = this.#row(kind)
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  }

  surprise(kind: string, what: string): void {
    this.count(kind, 'unexpected')
    if (this.unexpected.length < 50) this.unexpected.push(what)
  }

  total(outcome: Outcome): number {
    return [...this.#rows.values()].reduce((sum, { counts }) => sum + (counts.get(outcome) ?? 0), 0)
  }

  /** @returns a violation when the machine explains so much that the rest proves nothing */
  tooStarved(): string[] {
    const count = this.total('machine')
    if (count <= Math.max(FEW, this.requests * STARVED)) return []
    return [
      `${count} of ${this.requests} requests failed because the machine had no time for them: it is so starved that this ` +
        'run proves nothing. Run it again when less else runs.',
    ]
  }

  get requests(): number {
    const ok = [...this.#rows.values()].reduce((sum, { times }) => sum + times.length, 0)
    return OUTCOMES.reduce((sum, outcome) => sum + this.total(outcome), ok)
  }

  table(): string {
    const head = ['request', 'ok', ...OUTCOMES, 'p50 ms', 'p95 ms', 'p99 ms']
    const lines = [...this.#rows].sort().map(([kind, { times, counts }]) => {
      const sorted = [...times].sort((a, b) => a - b)
      const at = (p: number) => Math.round(sorted[Math.floor((sorted.length - 1) * p)] ?? 0)
      const others = OUTCOMES.map((outcome) => counts.get(outcome) ?? 0)
      return [kind, times.length, ...others, at(0.5), at(0.95), at(0.99)].map(String)
    })
    const widths = head.map((name, i) => Math.max(name.length, ...lines.map((line) => line[i]?.length ?? 0)))
    const format = (cells: readonly string[]) =>
      cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')
    return [head, ...lines].map(format).join('\n')
  }
}
