import type { NameMatching } from '../vfs/tree.js'

/** What is particular about a client, told by its User-Agent. */
export interface Client {
  readonly names: NameMatching
  /**
   * A mount of macOS 15.4 and later hangs for a minute and a half when it gets quota properties
   * (https://github.com/cryptomator/webdav-nio-adapter/issues/107).
   */
  readonly quota: boolean
  /**
   * Bytes of a listing above which the client shows an empty folder, where there is such a limit: Windows'
   * FileAttributesLimitInBytes.
   */
  readonly listingBytes: number | undefined
}

const OTHERS: Client = { names: 'exact', quota: true, listingBytes: undefined }
const WINDOWS: Client = { names: 'case-insensitive', quota: true, listingBytes: 1_000_000 }

export function clientOf(userAgent: string | undefined): Client {
  if (userAgent === undefined) return OTHERS
  if (userAgent.startsWith('Microsoft-WebDAV-MiniRedir/') || userAgent.startsWith('DavClnt')) return WINDOWS
  if (!userAgent.startsWith('WebDAVFS/') && !userAgent.startsWith('WebDAVLib/')) return OTHERS
  const [, major = '0', minor = '0'] = /Darwin\/(\d{1,4})\.(\d{1,4})/.exec(userAgent) ?? []
  const hangsOnQuota = Number(major) > 24 || (Number(major) === 24 && Number(minor) >= 4)
  return { names: 'unicode', quota: !hangsOnQuota, listingBytes: undefined }
}
