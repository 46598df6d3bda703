import type { DaemonKind } from '../lab/lab.js'

/** Whether a server of this kind can hold a file of that name at all, whoever asks it. */
export function canHoldFile(kind: DaemonKind, name: string): boolean {
  // It makes `_` of a space at the end, and refuses every backslash (checknamesanity, revealextraspc).
  if (kind === 'pure-ftpd') return !name.endsWith(' ') && !name.includes('\\')
  return true
}

export function canHoldFolder(kind: DaemonKind, name: string): boolean {
  // "Invalid directory name" (core_mkd).
  if (kind.startsWith('proftpd') && name.includes('*')) return false
  return canHoldFile(kind, name)
}
