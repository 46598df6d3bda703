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

export interface ParsedListing {
  readonly selfModified: number | undefined
  readonly names: ListedName[]
  /** A line that cannot be understood. */
  readonly unreadable: string | undefined
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

const TYPES: Readonly<Record<string, Facts['type']>> = { file: 'file', dir: 'directory', cdir: 'self', pdir: 'parent' }

/** @returns undefined where the line is none, or lacks what an entry must have */
export function parseFacts(line: string): Facts | undefined {
  // The name begins after the first space that follows the facts; it may begin with spaces itself.
  const end = line.indexOf('; ')
  if (end < 0) return undefined
  const facts = new Map<string, string>()
  for (const fact of line.slice(0, end).split(';')) {
    const equals = fact.indexOf('=')
    if (equals < 1) return undefined
    facts.set(fact.slice(0, equals).toLowerCase(), fact.slice(equals + 1))
  }
  const name = line.slice(end + 2)
  const type = typeOf(facts.get('type')?.toLowerCase())
  const size = facts.get('size')
  if (name === '' || type === undefined || (size !== undefined && !/^\d{1,16}$/.test(size))) return undefined
  const mode = facts.get('unix.mode')
  return {
    name,
    type,
    size: type === 'file' ? Number(size ?? 0) : 0,
    modified: parseTimeValue(facts.get('modify')),
    mode: mode !== undefined && /^[0-7]{1,6}$/.test(mode) ? parseInt(mode, 8) & 0o7777 : undefined,
    unique: facts.get('unique'),
  }
}

function typeOf(value: string | undefined): Facts['type'] | undefined {
  if (value === undefined) return undefined
  if (/^os\.unix=s(ym)?link/.test(value)) return 'link'
  return TYPES[value] ?? 'other'
}

/** `YYYYMMDDHHMMSS[.sss]` in UTC, RFC 3659 section 2.3, as milliseconds since the epoch. */
export function parseTimeValue(value: string | undefined): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?$/.exec(value?.trim() ?? '')
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, fraction] = match
  const time = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  return time + (fraction === undefined ? 0 : Math.floor(Number(fraction) * 1000))
}

export function formatTimeValue(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace(/[-:T]/g, '')
}

export function parseMlsd(text: string): ParsedListing {
  const names: ListedName[] = []
  let selfModified: number | undefined
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue
    const facts = parseFacts(line)
    if (facts === undefined) return { selfModified, names, unreadable: line }
    const { type } = facts
    if (type === 'self') selfModified = facts.modified
    else if (type !== 'parent') names.push({ ...known(facts), name: facts.name, type })
  }
  return { selfModified, names, unreadable: undefined }
}

/** The parts of facts that an entry takes over as they are. */
export function known({
  size,
  modified,
  mode,
  unique,
}: Omit<Facts, 'name' | 'type'>): Omit<Entry, 'name' | 'type' | 'symlink'> {
  return { size, modified, ...(mode === undefined ? {} : { mode }), ...(unique === undefined ? {} : { unique }) }
}
