import { setFlagsFromString } from 'node:v8'

/** Percent of what was in use after a collection. */
const GROWTH = 100

/**
 * From now on the heap is collected when it has doubled. V8 lets that of a busy process on a machine with much memory grow to
 * four times what is in use before it looks for garbage, and does not give back what it does not need.
 */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`)
}
