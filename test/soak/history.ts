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

/** Milliseconds after its answer in which a write whose outcome is unknown may still happen: what was on its way then. */
const STRAGGLES = 30_000

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
    const byVersion = new Map(this.writes.map((write) => [write.version, write]))
    const acknowledged = this.writes.filter(({ outcome }) => outcome === 'ok')
    const found: string[] = []
    for (const read of this.reads) {
      const wrong = wrongWith(read, byVersion, acknowledged)
      if (wrong === undefined) continue
      found.push(`${this.path}: a read from ${Math.round(read.start)} to ${Math.round(read.end)} ${wrong}`)
    }
    return found
  }
}

function wrongWith(
  { start, end, version }: Read,
  byVersion: ReadonlyMap<number, Write>,
  acknowledged: readonly Write[],
): string | undefined {
  if (version === undefined) {
    const lost = acknowledged.find((write) => write.end < start)
    return lost && `found nothing after version ${lost.version} was acknowledged at ${Math.round(lost.end)}`
  }
  const write = byVersion.get(version)
  if (write === undefined) return `gave version ${version}, which nobody wrote`
  if (write.start > end) return `gave version ${version} before it was written`
  if (write.outcome === 'failed') return `gave version ${version}, which was refused`
  const over = write.outcome === 'unknown' ? write.end + STRAGGLES : write.end
  const later = acknowledged.find((other) => other.start > over && other.end < start)
  return later && `gave version ${version} after version ${later.version} was acknowledged at ${Math.round(later.end)}`
}
