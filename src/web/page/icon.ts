import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ICONS = fileURLToPath(new URL('icons/', import.meta.resolve('bootstrap-icons/package.json')))
const known = new Map<string, string>()

/**
 * An icon of bootstrap-icons as inline SVG, hidden from screen readers: the words beside it say what it means.
 * @param name a constant, e.g. `folder`; never something that a user wrote
 */
export function icon(name: string): string {
  const loaded = known.get(name)
  if (loaded !== undefined) return loaded
  if (!/^[a-z0-9-]+$/.test(name)) throw new Error(`There is no icon ${name}.`)
  const svg = readFileSync(`${ICONS}${name}.svg`, 'utf8').replace('<svg ', '<svg aria-hidden="true" focusable="false" ')
  known.set(name, svg)
  return svg
}
