import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { LabMachine } from '../lab/lab.js'

/**
 * Gives steward the rights that docs/accounts.md has as lines to paste, and no others.
 * @param aliases names of the guide's aliases of commands
 * @param places where the lab has what the guide writes otherwise; several: the lines hold for each of them
 */
export async function grantAsInGuide(
  machine: LabMachine,
  aliases: readonly string[],
  ...places: readonly Readonly<Record<string, string>>[]
): Promise<void> {
  const guide = await readFile(path.join(import.meta.dirname, '../../docs/accounts.md'), 'utf8')
  const blocks = guide.split(/^```.*\n/m)
  const lines = aliases.map((alias) => {
    const block = blocks.find((one) => one.startsWith(`Cmnd_Alias ${alias} =`))
    if (block === undefined) throw new Error(`The guide has no lines ${alias}.`)
    return block.replaceAll(/^ftpcluster /gm, `${machine.steward.username} `)
  })
  const texts = places.map((paths, i) => {
    const moved = Object.entries(paths).reduce((all, [from, to]) => all.replaceAll(from, to), lines.join('\n'))
    return moved.replaceAll(/FTPCLUSTER[A-Z_]*/g, (alias) => `${alias}_${i}`)
  })
  await machine.sudoers(texts.join('\n'))
}
