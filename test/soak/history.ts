/** One PUT as its client saw it. Times are of one clock, in milliseconds. */
export interface Write {
  readonly version: number
  readonly start: number
  end: number
  /** `unknown`: nobody told, or it failed in a way that leaves it open. */
  outcome: 'running' | 'ok' | 'failed' | 'unknown'
}

/** One GET that ended cleanly. */
export interface Read {
  readonly start: number
  readonly end: number
  /** Undefined: there was nothing. */
  readonly version: number | undefined
}

/** Everything that was done to one path, to be judged as a register: reads see a version that may be current. */
export class History {
  readonly writes: Write[] = []
  readonly reads: Read[] = []

  constructor(readonly path: string) {}

  begin(version: number, start: number): Write {
    const write: Write = { version, start, end: Infinity, outcome: 'running' }
    this.writes.push(write)
    return write
  }

  /** What no order of the writes explains. */
  violations(): string[] {
    const found: string[] = []
    const byVersion = new Map(this.writes.map((write) => [write.version, write]))
    for (const read of this.reads) {
      const told = `${this.path}: a read from ${Math.round(read.start)} to ${Math.round(read.end)}`
      if (read.version === undefined) {
        const lost = this.writes.find(({ outcome, end }) => outcome === 'ok' && end < read.start)
        if (lost !== undefined) found.push(`${told} found nothing after version ${lost.version} was acknowledged`)
        continue
      }
      const write = byVersion.get(read.version)
      if (write === undefined) found.push(`${told} gave version ${read.version}, which nobody wrote`)
      else if (write.start > read.end) found.push(`${told} gave version ${read.version} before it was written`)
      else if (write.outcome === 'failed') found.push(`${told} gave version ${read.version}, which was refused`)
      else if (write.outcome === 'ok') {
        const later = this.writes.find((w) => w.outcome === 'ok' && w.start > write.end && w.end < read.start)
        if (later !== undefined) {
          found.push(`${told} gave version ${read.version} after version ${later.version} was acknowledged`)
        }
      }
    }
    return found
  }
}
