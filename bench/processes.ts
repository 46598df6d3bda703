import { readFileSync, writeFileSync } from 'node:fs'
import { descendantsOf } from '../test/lab/processes.js'

/** Of Linux's clock ticks; the same on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** CPU seconds that a process, its children and those that have ended have used so far. */
export function cpuSeconds(pid: number): number {
  let ticks = 0
  for (const one of [pid, ...descendantsOf(pid)]) {
    const stat = read(`/proc/${one}/stat`)
    // From the state on: utime, stime, cutime and cstime are the fields 14 to 17 of proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field] ?? 0), 0)
  }
  return ticks / TICKS_PER_SECOND
}

/** The most memory that a process has had at once since `forgetPeak`, in bytes. */
export function peakMemory(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
}

export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // It ended since it was found.
  }
}
