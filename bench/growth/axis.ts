import type { Gateway } from '../stage.js'
import { cpuSeconds, forgetPeak, peakMemory } from '../processes.js'
import { median } from '../workload.js'

/** Something that grows, and what it costs then. */
export interface Axis {
  readonly name: string
  /** Of the table and the plot. */
  readonly title: string
  /** What the axis counts: `entries`, `bytes`. */
  readonly what: string
  readonly measures: readonly Measure[]
  /** What else to know of it: a sentence. */
  readonly note?: string
  /** @param say tells how far it is */
  measure(scale: GrowthScale, say: (text: string) => void): Promise<Point[]>
}

export interface Measure {
  /** Unique in the axis. */
  readonly name: string
  readonly unit: 'ms' | 'MiB'
  /** How it may grow: 1 in step with the axis, 0 not at all. */
  readonly may: 0 | 1
  /** Whether it is a line of the plot. */
  readonly plotted?: boolean
}

export interface Point {
  /** Where it stands on the axis. */
  readonly size: number
  readonly label: string
  readonly values: Readonly<Record<string, number>>
}

export interface GrowthScale {
  readonly entries: readonly number[]
  readonly users: readonly number[]
  readonly servers: readonly number[]
  readonly bytes: readonly number[]
  /** Round trips in milliseconds. */
  readonly latencies: readonly number[]
}

/** What one repetition costs. */
export interface Cost {
  /** Milliseconds of the gateway. */
  readonly cpu: number
  /** Milliseconds until it was done, of a typical one. */
  readonly wall: number
  /** Most memory that the gateway had meanwhile, in MiB. */
  readonly memory: number
}

/** Ticks of /proc are 10 ms: what costs less is repeated until it can be told. */
const CPU_SECONDS = 0.25
/** What takes its time without using any is repeated no longer than this. */
const SECONDS = 4

/**
 * Repeats something until its cost can be told.
 * @param requests in one repetition: the cost is that of one
 */
export async function costOf(
  gateway: Gateway,
  repeat: (n: number) => Promise<unknown>,
  { requests = 1, most = 2000, warm = 1 } = {},
): Promise<Cost> {
  for (let n = 0; n < warm; n++) await repeat(n)
  forgetPeak(gateway.pid)
  const cpu = cpuSeconds(gateway.pid)
  const used = () => cpuSeconds(gateway.pid) - cpu
  const begun = performance.now()
  const walls: number[] = []
  while (walls.length < most) {
    const start = performance.now()
    await repeat(warm + walls.length)
    walls.push(performance.now() - start)
    const seconds = (performance.now() - begun) / 1000
    if (seconds > SECONDS || (seconds > CPU_SECONDS && used() > CPU_SECONDS)) break
  }
  const per = walls.length * requests
  return {
    cpu: (used() * 1000) / per,
    wall: median(walls) / requests,
    memory: peakMemory(gateway.pid) / 1024 ** 2,
  }
}
