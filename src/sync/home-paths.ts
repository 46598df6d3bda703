import { nameOf, parentOf } from '../storage/remote-path.js'
import { ProvisionError } from './provision-error.js'
import { absolutePath } from './provisioner-settings.js'

/**
 * Homes lie right below one folder that only the admin writes to: so nobody can put a link where a home is made, moved or
 * given away.
 * @throws REFUSED for any other path
 */
export function assertHome(base: string, home: string): void {
  const usable = absolutePath.safeParse(home).success && parentOf(home) === base && !isArchive(home)
  if (!usable) throw new ProvisionError('REFUSED', `A home must be a folder right below ${base}.`)
}

const ARCHIVED = /\.archived-\d{4}-\d{2}-\d{2}(-\d+)?$/

export function isArchive(path: string): boolean {
  return ARCHIVED.test(path)
}

/** Where the home goes, given the names that are taken beside it. */
export function archivePath(home: string, now: number, taken: ReadonlySet<string>): string {
  const first = `${home}.archived-${new Date(now).toISOString().slice(0, 10)}`
  let path = first
  for (let number = 2; taken.has(path); number++) path = `${first}-${number}`
  return path
}

/** The latest archive of `home` among `paths`. */
export function lastArchive(home: string, paths: Iterable<string>): string | undefined {
  const own = [...paths].filter((path) => isArchive(path) && nameOf(path).replace(ARCHIVED, '') === nameOf(home))
  return own.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1)
}
