interface Person {
  readonly username: string
  readonly password: string
}

/** What a newcomer needs to see the demo's drive on each system, ready to copy. */
export function mountInstructions(url: string, user: Person, admin: Person): string {
  const { username, password } = user
  const dav = `${url}/dav/`
  const rclone = `:webdav,url='${dav}',user=${username},pass=$(rclone obscure '${password}'):`
  return `
FTPCluster demo: one drive over an FTP server (server2) and an SFTP server (server3)

  Drive      ${dav}
  Files      ${url}/ftp/${username}/
  User       ${username}   password  ${password}
  Admin      ${admin.username}   password  ${admin.password}

  Try it (curl, rclone):
    curl -u '${username}:${password}' ${url}/ftp/${username}/server2/welcome.txt
    rclone ls "${rclone}"
    rclone copy README.md "${rclone}server3"

  Mount it:
    Windows  net use Z: ${dav} '${password}' /user:${username}
             (over plain http Windows wants BasicAuthLevel=2 first: see the README)
    macOS    Finder > Go > Connect to Server: ${dav}
    Linux    rclone mount "${rclone}" /mnt/cluster
             or: sudo mount -t davfs ${dav} /mnt/cluster

  Ctrl-C stops it. Everything it made is in the data folder.
`
}
