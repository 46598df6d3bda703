/** Order matters: Edge calls itself Chrome too, and Chrome calls itself Safari. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\//, 'Firefox'],
  [/Chrom(e|ium)\//, 'Chrome'],
  [/Safari\//, 'Safari'],
]

const SYSTEMS: readonly (readonly [RegExp, System])[] = [
  [/iPhone|iPad|Android/, 'phone'],
  [/Windows|Microsoft-WebDAV/, 'windows'],
  [/Mac OS X|Macintosh|WebDAVFS/, 'macos'],
  [/Linux|X11|CrOS|davfs2|gvfs/, 'linux'],
]

export type System = 'windows' | 'macos' | 'linux' | 'phone'

export const SYSTEM_NAMES: Readonly<Record<System, string>> = {
  windows: 'Windows',
  macos: 'macOS',
  linux: 'Linux',
  phone: 'Phone or tablet',
}

/** By what the browser calls itself; undefined when it does not tell. */
export function systemOf(userAgent: string): System | undefined {
  return SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1]
}

/** `Firefox on Linux`, as far as it can be told. */
export function deviceOf(userAgent: string): string {
  const system = systemOf(userAgent)
  const browser = BROWSERS.find(([pattern]) => pattern.test(userAgent))?.[1]
  const name = browser ?? (/^[\w .-]{1,40}/.exec(userAgent)?.[0].trim() || 'Unknown program')
  return system === undefined ? name : `${name} on ${SYSTEM_NAMES[system]}`
}
