import type { ListedName } from './facts.js'
import type { ParseLine } from './listing-lines.js'

/**
 * LIST in the form of `ls -l`. No standard says what LIST looks like; this is what Unix servers print, with times in UTC:
 * `-rw-r--r--   1 ann  staff   1057 Dec 11 14:35 test.txt`. Owner and group may hold spaces. Exactly one space stands before
 * the name, so a name may begin with more.
 */
const UNIX =
  /^([-dlbcpsD])([-rwxsStTlL]{9})[.+@]? +\d+ +.*? +(?:(\d+)|\d+, *\d+) +([A-Z][a-z]{2}) +(\d{1,2}) +(?:(\d{4})|(\d{1,2}):(\d{2})) (.+)$/s

/** LIST of IIS: `02-18-24  03:15PM       <DIR>          name`, `02-18-2024  15:15         1234 name`. */
const DOS = /^(\d{2})-(\d{2})-(\d{4}|\d{2}) +(\d{2}):(\d{2})([AP]M)? +(?:(<DIR>) {10}|(\d+) )(.+)$/s

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAY = 86_400_000
/** No line with a path's worth of name is longer; the patterns are not meant for more. */
const MAX_LINE = 4096 + 512
/** `ls` shows the minute of the last half year and only the day of anything else. */
const HALF_YEAR = 182 * DAY

/** @param now milliseconds since the epoch: lines of the last half year do not name their year */
export function parseListLine(now: number): ParseLine {
  const year = new Date(now).getUTCFullYear()
  return (line) => {
    if (/^total \d+$/.test(line)) return 'nothing'
    return line.length > MAX_LINE ? undefined : (parseUnix(line, now, year) ?? parseDos(line))
  }
}

function parseUnix(line: string, now: number, thisYear: number): ListedName | undefined {
  const match = UNIX.exec(line)
  if (!match) return undefined
  const [, kind, bits = '', size, month = '', day, year, hour, minute, rest = ''] = match
  const type = kind === 'd' ? 'directory' : kind === '-' ? 'file' : kind === 'l' ? 'link' : 'other'
  // vsftpd and others show where a link points; a link whose own name holds an arrow cannot be told.
  const arrow = type === 'link' ? rest.indexOf(' -> ') : -1
  return {
    name: arrow < 0 ? rest : rest.slice(0, arrow),
    type,
    size: type === 'file' ? Number(size ?? 0) : 0,
    modified: unixTime(MONTHS.indexOf(month), Number(day), year, Number(hour), Number(minute), now, thisYear),
    ...(type === 'link' ? {} : { mode: modeOf(bits) }),
  }
}

function unixTime(
  month: number,
  day: number,
  year: string | undefined,
  hour: number,
  minute: number,
  now: number,
  thisYear: number,
): number | undefined {
  if (month < 0) return undefined
  if (year !== undefined) return Date.UTC(Number(year), month, day)
  // A server's clock may be ahead of ours, and its last minutes of December may be our January.
  for (const candidate of [thisYear + 1, thisYear]) {
    const time = Date.UTC(candidate, month, day, hour, minute)
    if (time <= now + DAY) return time
  }
  return Date.UTC(thisYear - 1, month, day, hour, minute)
}

/** `rwxr-sr-T` as permission bits. */
function modeOf(bits: string): number {
  let mode = 0
  for (let i = 0; i < 9; i++) {
    const bit = bits[i] ?? '-'
    if (bit !== '-' && bit !== 'S' && bit !== 'T') mode |= 0o400 >> i
    if (bit === 's' || bit === 'S' || bit === 't' || bit === 'T') mode |= 0o4000 >> Math.floor(i / 3)
  }
  return mode
}

function parseDos(line: string): ListedName | undefined {
  const match = DOS.exec(line)
  if (!match) return undefined
  const [, month, day, year = '', hour, minute, half, directory, size, name = ''] = match
  const fullYear = year.length === 4 ? Number(year) : Number(year) + (Number(year) < 70 ? 2000 : 1900)
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half === 'PM' ? 12 : 0)
  return {
    name,
    type: directory === undefined ? 'file' : 'directory',
    size: Number(size ?? 0),
    modified: Date.UTC(fullYear, Number(month) - 1, Number(day), hours, Number(minute)),
  }
}

/** An exact time as LIST would show it, so that `stat` by MDTM agrees with a listing. */
export function asListed(time: number | undefined, now: number): number | undefined {
  if (time === undefined) return undefined
  // Up to a day ahead is a clock that differs from ours, more is a time that somebody set.
  const unit = time > now + DAY || now - time > HALF_YEAR ? DAY : 60_000
  return Math.floor(time / unit) * unit
}
