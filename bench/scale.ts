import { GIB } from './workload.js'

/** How much of everything: the whole run, or one that ends within three minutes. */
export interface Scale {
  readonly rounds: number
  /** Bytes of the big file, and of each of four that move at the same time. */
  readonly big: number
  readonly quarter: number
  /** Where the ranged GET reads. */
  readonly rangeAt: number
  readonly ranges: number
  readonly smallGets: number
  readonly smallPuts: number
  readonly names: number
  readonly treeFiles: number
  readonly mixedSeconds: number
  readonly folders: readonly number[]
  /** Seconds after which requests of a kind that take one long time are enough: the rate is that of those done. */
  readonly patience: number
}

const MIB = 1024 ** 2

export const WHOLE: Scale = {
  rounds: 3,
  big: GIB,
  quarter: GIB / 4,
  rangeAt: 900 * MIB,
  ranges: 200,
  smallGets: 1000,
  smallPuts: 500,
  names: 1000,
  treeFiles: 500,
  mixedSeconds: 10,
  folders: [100, 1000, 10_000],
  patience: 5,
}

export const QUICK: Scale = {
  rounds: 2,
  big: GIB / 4,
  quarter: GIB / 16,
  rangeAt: 200 * MIB,
  ranges: 50,
  smallGets: 200,
  smallPuts: 60,
  names: 100,
  treeFiles: 60,
  mixedSeconds: 3,
  folders: [1000],
  patience: 2,
}

/** `1 GiB`, `256 MiB`, `4 KiB`. */
export function sizeName(bytes: number): string {
  if (bytes >= GIB) return `${bytes / GIB} GiB`
  return bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / 1024} KiB`
}
