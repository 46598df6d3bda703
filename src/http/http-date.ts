const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MONTH = `(${MONTHS.join('|')})`
const TIME = '(\\d{2}):(\\d{2}):(\\d{2})'

/** RFC 9110 section 5.6.7: the preferred form and the two obsolete ones. */
const IMF_FIXDATE = new RegExp(`^[A-Z][a-z]{2}, (\\d{2}) ${MONTH} (\\d{4}) ${TIME} GMT$`)
const RFC_850 = new RegExp(`^[A-Z][a-z]{5,8}, (\\d{2})-${MONTH}-(\\d{2}) ${TIME} GMT$`)
const ASCTIME = new RegExp(`^[A-Z][a-z]{2} ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`)

/** `Mon, 23 Nov 2026 22:40:06 GMT`; parts of a second are dropped. */
export function toHttpDate(ms: number): string {
  return new Date(ms).toUTCString()
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
