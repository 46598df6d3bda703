import { badRequest } from './dav-error.js'

/** One condition of a list: a lock token (any state token) or an entity tag, in its quotes. */
export interface Condition {
  readonly not: boolean
  readonly kind: 'token' | 'etag'
  readonly value: string
}

/** A list is true when all its conditions are. `tag`: the URI before it; undefined for the Request-URI. */
export interface ConditionList {
  readonly tag: string | undefined
  readonly conditions: readonly Condition[]
}

const MAX_LENGTH = 8192
const MAX_CONDITIONS = 256

/** A whole entity tag: etagc of RFC 9110 section 8.8.3, plus the `\"` and spaces that Office is known to send. */
const ETAG = /\s*((?:W\/)?\\?"((?:[^"\\]|\\(?!"))*)\\?")\s*\]/y
const CODED_URL = /<([^<>\s]+)>/y

/**
 * The `If` header by the grammar of RFC 4918 section 10.4.2.
 * @throws DavError 400 when it does not follow the grammar, mixes tagged and untagged lists, or passes a bound
 */
export function parseIf(header: string): ConditionList[] {
  if (header.length > MAX_LENGTH) throw malformed(`longer than ${MAX_LENGTH} characters`)
  const reader = new Reader(header)
  const lists: ConditionList[] = []
  let tag: string | undefined
  let listsOfTag = 0
  let count = 0
  for (reader.skipSpace(); !reader.atEnd; reader.skipSpace()) {
    if (reader.peek === '<') {
      const untagged = tag === undefined && lists.length > 0
      const bare = tag !== undefined && listsOfTag === 0
      if (untagged || bare) throw malformed(untagged ? 'tagged and untagged lists are mixed' : 'a tag without a list')
      tag = reader.match(CODED_URL)[1] ?? ''
      listsOfTag = 0
      continue
    }
    const conditions = readList(reader)
    count += conditions.length
    if (count > MAX_CONDITIONS) throw malformed(`more than ${MAX_CONDITIONS} conditions`)
    lists.push({ tag, conditions })
    listsOfTag++
  }
  if (lists.length === 0 || (tag !== undefined && listsOfTag === 0)) throw malformed('no list')
  return lists
}

/** Every lock token that the header names, wherever: RFC 4918 section 10.4.1 calls them submitted. */
export function submittedTokens(lists: readonly ConditionList[]): Set<string> {
  const tokens = new Set<string>()
  for (const { conditions } of lists) {
    for (const { kind, value } of conditions) if (kind === 'token') tokens.add(value)
  }
  return tokens
}

/** What `evaluateIf` asks about a resource. */
export interface ResourceState {
  /** Tokens of the locks that cover the resource, its own and inherited. */
  tokens(): Promise<ReadonlySet<string>>
  /** Strong entity tag; undefined where there is no entity. */
  etag(): Promise<string | undefined>
}

/**
 * Whether one of the lists is true. `stateOf` is asked only for what decides.
 * The comparison is the strong one, as RFC 4918 section 10.4.4 has it: entities have strong tags, which no weak one equals.
 */
export async function evaluateIf(
  lists: readonly ConditionList[],
  stateOf: (tag: string | undefined) => ResourceState,
): Promise<boolean> {
  for (const list of lists) {
    const state = stateOf(list.tag)
    let holds = true
    for (const condition of list.conditions) {
      const matches =
        condition.kind === 'token'
          ? (await state.tokens()).has(condition.value)
          : (await state.etag()) === condition.value
      if (matches === condition.not) {
        holds = false
        break
      }
    }
    if (holds) return true
  }
  return false
}

function readList(reader: Reader): Condition[] {
  reader.expect('(')
  const conditions: Condition[] = []
  for (reader.skipSpace(); reader.peek !== ')'; reader.skipSpace()) {
    const not = reader.skipNot()
    if (reader.peek === '<') {
      conditions.push({ not, kind: 'token', value: reader.match(CODED_URL)[1] ?? '' })
    } else {
      reader.expect('[')
      const match = reader.match(ETAG)
      const weak = match[1]?.startsWith('W/') ? 'W/' : ''
      conditions.push({ not, kind: 'etag', value: `${weak}"${match[2] ?? ''}"` })
    }
    if (conditions.length > MAX_CONDITIONS) throw malformed(`more than ${MAX_CONDITIONS} conditions`)
  }
  reader.expect(')')
  if (conditions.length === 0) throw malformed('an empty list')
  return conditions
}

class Reader {
  private at = 0

  constructor(private readonly text: string) {}

  get atEnd(): boolean {
    return this.at >= this.text.length
  }

  get peek(): string {
    return this.text.charAt(this.at)
  }

  skipSpace(): void {
    while (this.peek === ' ' || this.peek === '\t') this.at++
  }

  /** Skips `Not` and the space around it; whether it was there. */
  skipNot(): boolean {
    if (this.text.slice(this.at, this.at + 3).toLowerCase() !== 'not') return false
    this.at += 3
    this.skipSpace()
    return true
  }

  expect(character: string): void {
    if (this.peek !== character) throw malformed(`"${character}" expected at ${this.at}`)
    this.at++
  }

  match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (!match) throw malformed(`not understood at ${this.at}`)
    this.at = pattern.lastIndex
    return match
  }
}

function malformed(what: string): Error {
  return badRequest('BAD_IF', `The If header is malformed: ${what}.`)
}
