import { isUtf8 } from 'node:buffer'
import type { Stats } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'

export type Line = (name: string, stats: Stats, type?: string) => string

const AT_ONCE = 64
const HALF_A_YEAR = 182 * 86_400_000

/** Names of a local folder that a reply can hold and a client can spell: valid UTF-8 without line breaks. */
export async function readNames(local: string): Promise<string[]> {
  const names = (await fs.readdir(local, { encoding: 'buffer' })).filter((name) => isUtf8(name)).map(String)
  return names.filter((name) => !/[\r\n]/.test(name))
}

/** A line for each of `names` in the local folder; links are not followed. What is gone meanwhile is left out. */
export async function* listLines(local: string, names: readonly string[], line: Line): AsyncGenerator<string> {
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const lines = names.slice(at, at + AT_ONCE).map(async (name) => {
      const stats = await fs.lstat(join(local, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      })
      return stats ? line(name, stats) + '\r\n' : ''
    })
    yield (await Promise.all(lines)).join('')
  }
}

/** RFC 3659 section 7. */
export const FACTS = ['type', 'size', 'modify', 'perm', 'unix.mode', 'unique'] as const

/** A line of MLSD and MLST. A link shows as one, in the words of ProFTPD. */
export const factsLine: Line = (name, stats, type = typeOf(stats)) => {
  const size = stats.isDirectory() ? '' : `size=${stats.size};`
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0')
  const unique = `${stats.dev.toString(16)}-${stats.ino.toString(16)}`
  return `type=${type};${size}modify=${timeVal(stats)};perm=${perm(stats)};unix.mode=${mode};unique=${unique}; ${name}`
}

/** As `ls -l` shows it, times in UTC. */
export const longLine: Line = (name, stats) => {
  const type = stats.isDirectory() ? 'd' : stats.isSymbolicLink() ? 'l' : '-'
  const bits = [...'rwxrwxrwx'].map((letter, index) => (stats.mode & (0o400 >> index) ? letter : '-')).join('')
  const [, day, month, year = '', time = ''] = stats.mtime.toUTCString().split(' ')
  const recent = Math.abs(Date.now() - stats.mtimeMs) < HALF_A_YEAR
  const date = `${month} ${day} ${recent ? time.slice(0, 5) : year.padStart(5)}`
  return `${type}${bits} ${stats.nlink} ${stats.uid} ${stats.gid} ${stats.size} ${date} ${name}`
}

/** `YYYYMMDDHHMMSS` in UTC (RFC 3659 section 2.3), whole seconds. */
export function timeVal({ mtimeMs }: Stats): string {
  return new Date(mtimeMs).toISOString().slice(0, 19).replace(/[-:T]/g, '')
}

/** Undefined unless `text` is a time-val of a day that exists. */
export function parseTimeVal(text: string): Date | undefined {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?$/, '$1-$2-$3T$4:$5:$6Z')
  const date = new Date(iso === text ? NaN : iso)
  return Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(text.slice(6, 8)) ? undefined : date
}

function typeOf(stats: Stats): string {
  if (stats.isDirectory()) return 'dir'
  if (stats.isFile()) return 'file'
  return stats.isSymbolicLink() ? 'OS.unix=symlink' : 'OS.unix=other'
}

function perm(stats: Stats): string {
  const has = (bit: number, letters: string) => (stats.mode & bit ? letters : '')
  if (stats.isDirectory()) return has(0o100, 'e') + has(0o400, 'l') + has(0o200, 'cdfmp')
  return has(0o400, 'r') + has(0o200, 'adfw')
}
