import { readdirSync, readFileSync } from 'node:fs'

/** Parent of every process that is visible now. */
function parents(): Map<number, number> {
  const result = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = readStat(name)
    // pid (comm) state ppid …; comm may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] !== 'Z' && fields[1] !== undefined) result.set(Number(name), Number(fields[1]))
  }
  return result
}

function readStat(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return '' // It ended since the folder was read.
  }
}

/** Everything below `pid`, parents before children, without zombies. */
export function descendantsOf(pid: number): number[] {
  const table = parents()
  const found = [pid]
  for (let i = 0; i < found.length; i++) {
    for (const [child, parent] of table) if (parent === found[i]) found.push(child)
  }
  return found.slice(1)
}

/** Sends a signal to a process that may have ended meanwhile. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
