const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MONTH = `(${MONTHS.join('|')})`
const TIME = '(\\d{2}):(\\d{2}):(\\d{2})'

/** RFC 9110 section 5.6.7: the preferred form and the two obsolete ones. */
const IMF_FIXDATE = new RegExp(`^[A-Z][a-z]{2}, (\\d{2}) ${MONTH} (\\d{4}) ${TIME} GMT$`)
const RFC_850 = new RegExp(`^[A-Z][a-z]{5,8}, (\\d{2})-${MONTH}-(\\d{2}) ${TIME} GMT$`)
const ASCTIME = new RegExp(`^[A-Z][a-z]{2} ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`)

const DAY = 86_400_000
const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'))
/** Dates of days, which the members of a folder share. */
const DAYS = new Map<number, { readonly http: string; readonly iso: string }>()
const REMEMBERED_DAYS = 4096

/** `Mon, 23 Nov 2026 22:40:06 GMT`; parts of a second are dropped. */
export function toHttpDate(ms: number): string {
  return `${dayOf(ms).http}${timeOfDay(ms)} GMT`
}

/** `2026-11-23T22:40:06Z`: RFC 3339 without fractions. */
export function toIsoDate(ms: number): string {
  return `${dayOf(ms).iso}${timeOfDay(ms)}Z`
}

function dayOf(ms: number): { readonly http: string; readonly iso: string } {
  const number = Math.floor(ms / DAY)
  let day = DAYS.get(number)
  if (day === undefined) {
    const date = new Date(number * DAY)
    day = {
      http: date.toUTCString().slice(0, -'00:00:00 GMT'.length),
      iso: date.toISOString().slice(0, -'00:00:00.000Z'.length),
    }
    if (DAYS.size === REMEMBERED_DAYS) DAYS.clear()
    DAYS.set(number, day)
  }
  return day
}

function timeOfDay(ms: number): string {
  const seconds = Math.floor((ms - Math.floor(ms / DAY) * DAY) / 1000)
  const two = (n: number): string => TWO_DIGITS[n] ?? ''
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

/** Milliseconds since the epoch; undefined for anything that is no HTTP-date. */
export function parseHttpDate(text: string): number | undefined {
  let match = IMF_FIXDATE.exec(text)
  if (match) return build(match[3], match[2], match[1], match.slice(4))
  match = RFC_850.exec(text)
  if (match) return build(String(fullYear(Number(match[3]))), match[2], match[1], match.slice(4))
  match = ASCTIME.exec(text)
  if (match) return build(match[6], match[1], match[2], match.slice(3, 6))
  return undefined
}

/** A two-digit year more than 50 years ahead is the past one. */
function fullYear(short: number): number {
  const now = new Date().getUTCFullYear()
  const year = now - (now % 100) + short
  return year > now + 50 ? year - 100 : year
}

function build(year: string | undefined, month: string | undefined, day: string | undefined, time: string[]) {
  const [hours, minutes, seconds] = time.map(Number)
  const date = new Date(0)
  date.setUTCFullYear(Number(year), MONTHS.indexOf(month ?? ''), Number(day))
  date.setUTCHours(hours ?? NaN, minutes ?? NaN, seconds === 60 ? 59 : (seconds ?? NaN))
  const exact = date.getUTCDate() === Number(day) && date.getUTCHours() === hours && date.getUTCMinutes() === minutes
  return exact ? date.getTime() : undefined
}
