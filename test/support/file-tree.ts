import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** Paths below a folder, with `/`; a file's SHA-256 in hex, `folder` for a folder. */
export type Snapshot = ReadonlyMap<string, string>

/** Names that have broken clients, gateways and FTP servers, and that WebDAV can carry. */
export const AWKWARD_NAMES: readonly string[] = [
  `#?%&+;=@'"<>[]`,
  `a#b`,
  `what?`,
  `100%`,
  `%41`,
  `a&b`,
  `a&amp;b`,
  `1+1=2`,
  `semi;colon`,
  `x@y`,
  `it's`,
  `"quoted"`,
  `<tag>`,
  `[1]`,
  `st*r`,
  `{a,b}`,
  `~tilde`,
  `$HOME`,
  'back\\slash',
  `-la`,
  `.hidden`,
  `two  spaces`,
  `colon: here`,
  `🎉 party 👩‍👩‍👧`,
  `NFC caf\u00e9`,
  `NFD cafe\u0301`,
  `日本語`,
  'x'.repeat(200),
  'ü'.repeat(100),
]

/** These too, where the server keeps them. */
export const SPACED_NAMES: readonly string[] = [' leading', 'trailing ', ' both ']

export interface TreeOptions {
  readonly files: number
  readonly fileNames: readonly string[]
  readonly folderNames: readonly string[]
}

/** Bytes that tell one file of a tree from another, at every offset. */
function contentOf(index: number): Buffer {
  const size = index % 250 === 7 ? 300_000 + index : index % 10 === 3 ? 0 : (index * 37) % 5000
  const content = Buffer.alloc(size)
  let state = index + 1
  for (let i = 0; i < size; i++) {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    content[i] = state >> 16
  }
  return content
}

/** Makes the same tree every time: plain and awkward names, folders in folders, 20 empty folders. */
export async function makeTree(root: string, { files, fileNames, folderNames }: TreeOptions): Promise<void> {
  const folders = ['.']
  for (const name of folderNames) folders.push(`names/${name}`)
  for (let i = 0; i < 30; i++) folders.push(`plain/${i % 6}/folder ${i}`)
  folders.push(`deep/${Array.from({ length: 12 }, (_, i) => `level ${i}`).join('/')}`)
  for (const folder of folders) await mkdir(path.join(root, folder), { recursive: true })
  for (let i = 0; i < 20; i++) await mkdir(path.join(root, `empty/${i}/nothing here`), { recursive: true })

  const write = (folder: string, name: string, i: number) => writeFile(path.join(root, folder, name), contentOf(i))
  let made = 0
  for (const name of fileNames) await write('.', name, made++)
  for (const name of folderNames) for (const file of fileNames) await write(`names/${name}`, file, made++)
  while (made < files) {
    const folder = folders[made % folders.length] ?? '.'
    await write(folder, `file ${made}.bin`, made++)
  }
}

/** What a folder holds. */
export async function snapshotOf(root: string): Promise<Map<string, string>> {
  const result = new Map<string, string>()
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(path.join(root, folder), { withFileTypes: true })) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) {
        result.set(name, 'folder')
        await walk(name)
      } else result.set(name, await hashOf(path.join(root, name)))
    }
  }
  await walk('')
  return new Map([...result].sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** What differs, one line each; empty when the trees are identical. */
export function differences(expected: Snapshot, actual: Snapshot): string[] {
  const lines: string[] = []
  for (const [name, what] of expected) {
    if (!actual.has(name)) lines.push(`missing: ${JSON.stringify(name)}`)
    else if (actual.get(name) !== what) lines.push(`different: ${JSON.stringify(name)}`)
  }
  for (const name of actual.keys()) if (!expected.has(name)) lines.push(`extra: ${JSON.stringify(name)}`)
  return lines
}

/** A new name for every second file: some in their folder, some in another; awkward ones become plain and the reverse. */
export function renamesOf(tree: Snapshot, names: readonly string[]): { from: string; to: string }[] {
  const files = [...tree].filter(([, what]) => what !== 'folder').map(([name]) => name)
  return files
    .filter((_, i) => i % 2 === 0)
    .map((from, i) => {
      const folder = i % 3 === 0 ? 'empty/1' : path.posix.dirname(from)
      const prefix = (names[i % names.length] ?? '').slice(0, 40)
      return { from, to: path.posix.join(folder, `${prefix}renamed ${i}`) }
    })
}

export async function applyRenames(root: string, renames: readonly { from: string; to: string }[]): Promise<void> {
  for (const { from, to } of renames) await rename(path.join(root, from), path.join(root, to))
}
