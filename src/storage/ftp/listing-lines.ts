import { StringDecoder } from 'node:string_decoder'
import type { ListedName } from './facts.js'

/** What a line of a listing says; `nothing` where it names no entry, undefined where it cannot be understood. */
export type ParseLine = (line: string) => ListedName | 'nothing' | undefined

export interface ParsedListing {
  readonly selfModified: number | undefined
  readonly names: readonly ListedName[]
  /** A line that cannot be understood. */
  readonly unreadable: string | undefined
}

/** No line of a server is longer; characters. */
const LONGEST = 64 * 1024

/** Reads a listing while it comes: many servers take longer to make one than this takes to read it. */
export class ListingLines implements ParsedListing {
  readonly names: ListedName[] = []
  selfModified: number | undefined
  unreadable: string | undefined
  /** There was nothing but space. */
  blank = true
  readonly #decoder: StringDecoder
  /** The line whose end has not come. */
  #rest = ''

  constructor(
    encoding: BufferEncoding | undefined,
    private readonly parse: ParseLine,
  ) {
    this.#decoder = new StringDecoder(encoding)
  }

  push(chunk: Buffer): void {
    if (this.unreadable !== undefined) return
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n')
    this.#rest = lines.pop() ?? ''
    // They end by CR LF, or LF alone.
    for (const line of lines) this.#take(line.endsWith('\r') ? line.slice(0, -1) : line)
    if (this.#rest.length > LONGEST) this.unreadable = this.#rest
  }

  /** Nothing more comes. */
  end(): this {
    this.#take(this.#rest + this.#decoder.end())
    this.#rest = ''
    return this
  }

  #take(line: string): void {
    if (line === '' || this.unreadable !== undefined) return
    if (this.blank) this.blank = line.trim() === ''
    const parsed = this.parse(line)
    if (parsed === undefined) this.unreadable = line
    else if (parsed === 'nothing' || parsed.name === '..') return
    else if (parsed.name === '.') this.selfModified = parsed.modified
    else this.names.push(parsed)
  }
}
