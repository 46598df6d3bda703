import type { Entry, EntryType } from '../driver.js'

/** A line of a listing. A link's own facts say nothing of what it points to. */
export interface ListedName {
  readonly name: string
  readonly type: EntryType | 'link'
  readonly size: number
  readonly modified: number | undefined
  readonly mode?: number
  readonly unique?: string
}

/** A line of MLSD or MLST, RFC 3659 section 7.2: `fact=value;fact=value; name`. */
export interface Facts {
  readonly name: string
  /** `self` and `parent` are the folder that is listed and the one above it. */
  readonly type: EntryType | 'link' | 'self' | 'parent'
  readonly size: number
  readonly modified: number | undefined
  readonly mode: number | undefined
  readonly unique: string | undefined
}

/** @returns undefined where the line is none, or lacks what an entry must have */
export function parseFacts(line: string): Facts | undefined {
  // The name begins after the first space that follows the facts; it may begin with spaces itself.
  const end = line.indexOf('; ')
  if (end < 0) return undefined
  let type: Facts['type'] | undefined
  let size: string | undefined
  let modified: number | undefined
  let mode: string | undefined
  let unique: string | undefined
  // No map of facts: a listing has tens of thousands of lines.
  let at = 0
  while (at <= end) {
    const semicolon = line.indexOf(';', at)
    const equals = line.indexOf('=', at)
    if (equals <= at || equals > semicolon) return undefined
    const value = line.slice(equals + 1, semicolon)
    switch (line.slice(at, equals).toLowerCase()) {
      case 'type':
        type = typeOf(value.toLowerCase())
        break
      case 'size':
        size = value
        break
      case 'modify':
        modified = parseTimeValue(value)
        break
      case 'unix.mode':
        mode = value
        break
      case 'unique':
        unique = value
        break
    }
    at = semicolon + 1
  }
  const name = line.slice(end + 2)
  if (name === '' || type === undefined || (size !== undefined && !/^\d{1,16}$/.test(size))) return undefined
  return {
    name,
    type,
    size: type === 'file' ? Number(size ?? 0) : 0,
    modified,
    mode: mode !== undefined && /^[0-7]{1,6}$/.test(mode) ? parseInt(mode, 8) & 0o7777 : undefined,
    unique,
  }
}

function typeOf(value: string): Facts['type'] {
  switch (value) {
    case 'file':
      return 'file'
    case 'dir':
      return 'directory'
    case 'cdir':
      return 'self'
    case 'pdir':
      return 'parent'
    default:
      return /^os\.unix=s(ym)?link/.test(value) ? 'link' : 'other'
  }
}

/** `YYYYMMDDHHMMSS[.sss]` in UTC, RFC 3659 section 2.3, as milliseconds since the epoch. */
export function parseTimeValue(value: string | undefined): number | undefined {
  const text = value?.trim() ?? ''
  if (!/^\d{14}(\.\d+)?$/.test(text)) return undefined
  const digits = (from: number, to: number): number => Number(text.slice(from, to))
  const time = Date.UTC(digits(0, 4), digits(4, 6) - 1, digits(6, 8), digits(8, 10), digits(10, 12), digits(12, 14))
  return time + (text.length === 14 ? 0 : Math.floor(Number(text.slice(14)) * 1000))
}

export function formatTimeValue(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace(/[-:T]/g, '')
}

/** A line of MLSD; the folder itself is called `.`, the one above it `..`. */
export function parseMlsdLine(line: string): ListedName | undefined {
  const facts = parseFacts(line)
  if (facts === undefined) return undefined
  const { type } = facts
  if (type === 'self' || type === 'parent') {
    return { name: type === 'self' ? '.' : '..', type: 'directory', ...known(facts) }
  }
  return { name: facts.name, type, ...known(facts) }
}

/** The parts of facts that an entry takes over as they are. */
export function known({
  size,
  modified,
  mode,
  unique,
}: Omit<Facts, 'name' | 'type'>): Omit<Entry, 'name' | 'type' | 'symlink'> {
  if (mode === undefined) return unique === undefined ? { size, modified } : { size, modified, unique }
  return unique === undefined ? { size, modified, mode } : { size, modified, mode, unique }
}
