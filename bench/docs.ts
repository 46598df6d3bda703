import { readFile, writeFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'

/**
 * Puts text between `<!-- name -->` and `<!-- /name -->` of a Markdown file.
 * @throws Error when the file has no such place
 */
export async function writeSection(file: string, name: string, text: string): Promise<void> {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const before = await readFile(file, 'utf8')
  const [from, to] = [before.indexOf(begin), before.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file} has no ${begin} … ${end}.`)
  const after = `${before.slice(0, from + begin.length)}\n\n${text}\n\n${before.slice(to)}`
  await writeFile(file, await format(after, { ...(await resolveConfig(file)), filepath: file }))
}
