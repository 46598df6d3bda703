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
    const plausible: Read[] = []
    for (const read of this.reads) {
      const wrong = wrongWith(read, byVersion, acknowledged)
      if (wrong === undefined) plausible.push(read)
      else found.push(`${this.path}: a read from ${Math.round(read.start)} to ${Math.round(read.end)} ${wrong}`)
    }
    return [...found, ...cameBack(zonesOf(this.writes, plausible)).map((what) => `${this.path}: ${what}`)]
  }
}

/**
 * The times in which a version must have been current at some moment, or, when the first of its operations ended before the
 * last began, all the time between.
 */
interface Zone {
  readonly version: number | undefined
  readonly from: number
  readonly to: number
  readonly throughout: boolean
}

/** Gibbons and Korach, Testing Shared Memories, 1997, section 4.2: an order exists exactly when no zones are at odds. */
function zonesOf(writes: readonly Write[], reads: readonly Read[]): Zone[] {
  const zone = (version: number | undefined, written: { readonly start: number; readonly end: number }): Zone => {
    const all = [written, ...reads.filter((read) => read.version === version)]
    const firstEnd = Math.min(...all.map(({ end }) => end))
    const lastStart = Math.max(...all.map(({ start }) => start))
    const throughout = firstEnd < lastStart
    return throughout
      ? { version, from: firstEnd, to: lastStart, throughout }
      : { version, from: lastStart, to: firstEnd, throughout }
  }
  const seen = new Set(reads.map(({ version }) => version))
  const happened = writes.filter(
    ({ version, outcome }) => outcome === 'ok' || (outcome !== 'failed' && seen.has(version)),
  )
  const nothing = seen.has(undefined) ? [zone(undefined, { start: -Infinity, end: -Infinity })] : []
  return [...nothing, ...happened.map((write) => zone(write.version, { start: write.start, end: endOf(write) }))]
}

function cameBack(zones: readonly Zone[]): string[] {
  const found: string[] = []
  for (const [i, one] of zones.entries()) {
    if (!one.throughout) continue
    for (const [j, other] of zones.entries()) {
      const atOdds = other.throughout
        ? j > i && one.from < other.to && other.from < one.to
        : one.from < other.from && other.to < one.to
      if (!atOdds) continue
      const [a, b] = [one.version ?? 'nothing', other.version ?? 'nothing']
      const times = (zone: Zone) => `${Math.round(zone.from)} to ${Math.round(zone.to)}`
      found.push(
        `version ${a} was there from ${times(one)} and ${b} meanwhile (${times(other)}): one of them came back`,
      )
    }
  }
  return found
}

/** The last moment at which a write may happen. */
function endOf({ outcome, end }: Write): number {
  return outcome === 'unknown' ? end + STRAGGLES : end
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
  const over = endOf(write)
  const later = acknowledged.find((other) => other.start > over && other.end < start)
  return later && `gave version ${version} after version ${later.version} was acknowledged at ${Math.round(later.end)}`
}
