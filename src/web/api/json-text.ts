import { HttpError } from '../../http/errors.js'

/** How deep objects and arrays may nest, and how many members an array may have. */
const MAX_DEPTH = 32
const MAX_ITEMS = 1000

/**
 * The value that a JSON text (RFC 8259) holds. What parsers understand in different ways is refused: names that come twice,
 * `__proto__`, a byte order mark, numbers beyond the range of a double, text that is not Unicode or holds NUL.
 * @throws HttpError 400
 */
export function parseJsonText(bytes: Uint8Array): unknown {
  let value: unknown
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch (error) {
    throw wrong('The body is not JSON in UTF-8.', error)
  }
  judgeNames(text)
  judgeValue(value, '', 0)
  return value
}

interface Level {
  /** Names seen so far; undefined in an array. */
  readonly names: Set<string> | undefined
}

/** Walks through a text that is known to be JSON: `JSON.parse` does not tell which names came twice. */
function judgeNames(text: string): void {
  const levels: Level[] = []
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g
  for (const [match, colon] of text.matchAll(token)) {
    if (match === '{' || match === '[') {
      if (levels.push({ names: match === '{' ? new Set() : undefined }) > MAX_DEPTH) throw tooDeep()
    } else if (match === '}' || match === ']') levels.pop()
    else if (colon !== undefined) {
      const name = JSON.parse(match.slice(0, -colon.length)) as string
      const names = levels.at(-1)?.names
      if (names?.has(name)) throw wrong(`The name ${JSON.stringify(name)} comes twice in one object.`)
      if (name === '__proto__') throw wrong('The name "__proto__" is not taken.')
      names?.add(name)
    }
  }
}

function judgeValue(value: unknown, at: string, depth: number): void {
  if (depth > MAX_DEPTH) throw tooDeep()
  if (typeof value === 'string') judgeText(value, at)
  else if (typeof value === 'number' && !Number.isFinite(value)) throw wrong(`The number at ${where(at)} is too large.`)
  else if (Array.isArray(value)) {
    if (value.length > MAX_ITEMS) throw wrong(`The list at ${where(at)} has more than ${MAX_ITEMS} members.`)
    value.forEach((item, index) => judgeValue(item, `${at}[${index}]`, depth + 1))
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      judgeText(name, at)
      judgeValue(member, at === '' ? name : `${at}.${name}`, depth + 1)
    }
  }
}

function judgeText(text: string, at: string): void {
  if (!text.isWellFormed() || text.includes('\0')) throw wrong(`The text at ${where(at)} must be Unicode without NUL.`)
}

function where(at: string): string {
  return at === '' ? 'the top' : at.slice(0, 100)
}

function tooDeep(): HttpError {
  return wrong(`The body nests deeper than ${MAX_DEPTH} levels.`)
}

function wrong(message: string, cause?: unknown): HttpError {
  return new HttpError(400, 'BAD_JSON', message, { cause })
}
