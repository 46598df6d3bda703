import { VfsError } from './errors.js'

/** Bounds of a path: UTF-8 bytes of a segment, bytes in all, segments. */
const MAX_SEGMENT = 255
const MAX_PATH = 4096
const MAX_DEPTH = 64

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/

/**
 * The virtual path of decoded segments: `['server2', 'a b']` -> `/server2/a b`. Empty and `.` segments are dropped.
 * @throws BAD_PATH when it climbs (`..`), holds a control character, a slash or a lone surrogate, or is too long
 */
export function virtualPath(segments: readonly string[]): string {
  let path = ''
  let depth = 0
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue
    if (segment === '..' || segment.includes('/') || CONTROL.test(segment) || !segment.isWellFormed()) {
      throw new VfsError('BAD_PATH', 'The path holds a segment that cannot be a name.')
    }
    if (Buffer.byteLength(segment) > MAX_SEGMENT) {
      throw new VfsError('BAD_PATH', `A name in the path is longer than ${MAX_SEGMENT} bytes.`)
    }
    path += '/' + segment
    depth++
  }
  if (depth > MAX_DEPTH || Buffer.byteLength(path) > MAX_PATH) {
    throw new VfsError('BAD_PATH', `The path is longer than ${MAX_PATH} bytes or ${MAX_DEPTH} segments.`)
  }
  return path === '' ? '/' : path
}

/** The path that people write as `/server2/folder/`; undefined for what is none. */
export function readPath(text: string): string | undefined {
  try {
    return virtualPath(text.split('/'))
  } catch {
    return undefined
  }
}

/** Whether a path that people write lies inside a server's folder. */
export function isInsideMount(text: string): boolean {
  return (splitMount(readPath(text) ?? '/')?.rest.length ?? 0) > 0
}

/** `/alias/rest/of/it` -> alias and the segments below it; undefined for `/`. */
export function splitMount(path: string): { alias: string; rest: string[] } | undefined {
  if (path === '/') return undefined
  const [alias = '', ...rest] = path.slice(1).split('/')
  return { alias, rest }
}

/** The folder that holds `path`; `/` holds itself. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

/** The last segment; '' for `/`. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function childPath(path: string, name: string): string {
  return path === '/' ? '/' + name : `${path}/${name}`
}

/** Whether `path` is `ancestor` or lies below it. */
export function contains(ancestor: string, path: string): boolean {
  return path === ancestor || ancestor === '/' || path.startsWith(ancestor + '/')
}
