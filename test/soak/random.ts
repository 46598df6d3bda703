import { createHash } from 'node:crypto'

/** Numbers in [0, 1). */
export type Random = () => number

/** The same numbers for the same words: mulberry32, seeded by a hash. */
export function randomFrom(...words: readonly (string | number)[]): Random {
  let state = createHash('sha256').update(words.join(' ')).digest().readUInt32LE()
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function below(random: Random, bound: number): number {
  return Math.floor(random() * bound)
}

/** @throws Error when there is nothing to pick from */
export function pick<T>(random: Random, some: readonly T[]): T {
  const found = some[below(random, some.length)]
  if (found === undefined) throw new Error('There is nothing to pick from.')
  return found
}

/** Log-normal around 60 KiB, from 4 KiB to 64 MiB. */
export function bodySize(random: Random): number {
  const gauss = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Math.min(64 * 1024 * 1024, Math.max(4096, Math.round(Math.exp(11 + 1.6 * gauss))))
}
