import { randomBytes } from 'node:crypto'

/** Longest name that common file systems take, in bytes. */
const MAX_NAME_BYTES = 255

/** `.ftpc-<base36 unix seconds>-<10 random>` then `~name` for an upload, `!name` for an old version set aside. */
const PATTERN = /^\.ftpc-[0-9a-z]{6,8}-[0-9a-z]{10}[~!]/

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'

const RANDOM = 10
/** Drawn for many names at once: asking for ten bytes costs as much as asking for a thousand. */
let randomness = Buffer.alloc(0)

/** A name in the same folder that nobody else has; `name` is kept as far as it fits, for whoever meets it by FTP. */
export function temporaryName(name: string, kind: 'upload' | 'backup', now: number): string {
  const seconds = Math.floor(now / 1000).toString(36)
  const prefix = `.ftpc-${seconds}-${randomText()}${kind === 'upload' ? '~' : '!'}`
  return prefix + cutToBytes(name, MAX_NAME_BYTES - prefix.length)
}

/** Whether `name` is one of ours: hidden from listings, never served. A name that only resembles it is a user's. */
export function isTemporaryName(name: string): boolean {
  return name.startsWith('.ftpc-') && PATTERN.test(name)
}

function randomText(): string {
  if (randomness.length === 0) randomness = randomBytes(100 * RANDOM)
  let text = ''
  for (let i = 0; i < RANDOM; i++) text += ALPHABET.charAt(randomness.readUInt8(i) % ALPHABET.length)
  randomness = randomness.subarray(RANDOM)
  return text
}

/** The longest start of `text` that is at most `limit` bytes of UTF-8, cut between characters. */
function cutToBytes(text: string, limit: number): string {
  let bytes = 0
  let end = 0
  for (const character of text) {
    bytes += Buffer.byteLength(character)
    if (bytes > limit) break
    end += character.length
  }
  return text.slice(0, end)
}
