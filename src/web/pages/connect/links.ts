/** How each program wants to hear where the drive is. */
export interface DriveLinks {
  /** For most. */
  readonly url: string
  readonly secure: boolean
  readonly windows: string
  readonly windowsRemove: string
  readonly davfs: string
  readonly gio: string
  readonly rclone: string
  readonly username: string
  readonly host: string
  readonly port: string
}

export function linksOf(origin: string, username: string): DriveLinks {
  const { protocol, hostname, host, port } = new URL(origin)
  const secure = protocol === 'https:'
  const url = `${origin}/dav/`
  return {
    url,
    secure,
    windows: `net use Z: ${url} /user:${username} * /persistent:yes`,
    windowsRemove: 'net use Z: /delete',
    davfs: `sudo mount -t davfs -o uid=$USER,username=${username} ${url} /mnt/drive`,
    gio: `gio mount ${secure ? 'davs' : 'dav'}://${username}@${host}/dav/`,
    rclone: `rclone config create drive webdav url=${url} vendor=other user=${username} pass=PASSWORD --obscure`,
    username,
    host: hostname,
    port: port || (secure ? '443' : '80'),
  }
}
