import type { Drive } from './drive.js'
import type { Scale } from './scale.js'
import type { Server, Stage } from './stage.js'

/** One drive's turn at a workload. */
export interface Turn {
  readonly stage: Stage
  readonly drive: Drive
  readonly server: Server
  readonly scale: Scale
  /** Differs from every other turn of the run: for names that nobody has seen. */
  readonly id: string
  /** Turns of both drives in one round share it. */
  readonly round: number
}

export interface Result {
  /** In the unit of the workload. */
  readonly value: number
  /** Of file content that went through the drive. */
  readonly bytes?: number
  /** That were answered, the first of those planned. */
  readonly requests?: number
  /** CPU seconds, where the workload measures them itself: others are measured around `run`. */
  readonly cpu?: number
}

/** Prepared once, on every server; a number: folders with so many entries. */
export type Need = 'big' | 'quarters' | 'small' | number

/** Something a drive is asked to do, and how well it did. Every answer is checked; a wrong one throws. */
export interface Workload {
  readonly name: string
  /** As in the table. */
  readonly title: string | ((scale: Scale) => string)
  readonly unit: 'MB/s' | 'per s' | 'ms'
  /** Against which rclone; default `rclone`. */
  readonly peer?: 'rclone' | 'caching'
  /** It starts the drives anew, which makes everything cold. */
  readonly restarts?: boolean
  /** Read-only data that must be there. */
  readonly needs?: readonly Need[]
  /** Untimed, before the first row of the run: what a drive has done some time ago. */
  start?(drive: Drive, server: Server): Promise<void>
  /** Untimed: makes the turn's own files, warms what is to be warm. */
  before?(turn: Turn): Promise<void>
  run(turn: Turn): Promise<Result>
  /** Untimed: looks at the files on the server, removes them. */
  after?(turn: Turn, result: Result): Promise<void>
  /** The same without any gateway, by a client of the protocol. */
  direct?(turn: Omit<Turn, 'drive'>): Promise<Result>
}

export function titleOf({ title }: Workload, scale: Scale): string {
  return typeof title === 'string' ? title : title(scale)
}

/** Units in which more is better. */
export function isRate(unit: Workload['unit']): boolean {
  return unit !== 'ms'
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/** 1000^2, as disks and networks are told. */
export const MB = 1e6
export const GIB = 1024 ** 3
