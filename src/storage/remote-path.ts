import { StorageError } from './errors.js'

/** C0 controls and DEL: they end or split commands, and no client means them. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/

/** @throws INVALID_NAME unless `name` can be one segment of a remote path. */
export function assertSegment(name: string): void {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) {
    throw new StorageError('INVALID_NAME', 'This is not a file name.', { inStep: true })
  }
  if (CONTROL.test(name)) {
    throw new StorageError('INVALID_NAME', 'A file name cannot hold control characters.', { inStep: true })
  }
}

/** `base` + '/' + `segments`, each checked. `base` is a remote path already. */
export function joinRemote(base: string, ...segments: string[]): string {
  let path = base === '/' ? '' : base
  for (const segment of segments) {
    assertSegment(segment)
    path += '/' + segment
  }
  return path === '' ? '/' : path
}

/**
 * The remote path that `path` names, seen from `home`: absolute ones as they are, others below it; `.` and empty segments
 * are dropped. For what admins and servers write (a root folder, a PWD answer), never for what a request says.
 * @throws INVALID_NAME on `..` or a control character
 */
export function resolveRemote(home: string, path: string): string {
  const full = path.startsWith('/') ? path : `${home}/${path}`
  return joinRemote('/', ...full.split('/').filter((segment) => segment !== '' && segment !== '.'))
}

/** The folder that holds `path`; the root holds itself. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

/** The last segment; '' for the root. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Whether `path` is `ancestor` or lies below it. */
export function isWithin(ancestor: string, path: string): boolean {
  return path === ancestor || ancestor === '/' || path.startsWith(ancestor + '/')
}
