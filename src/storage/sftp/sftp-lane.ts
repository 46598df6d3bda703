import type { SFTPWrapper } from 'ssh2'
import type { SftpSession } from './sftp-session.js'

/** A file opened for writing by one channel. */
export interface Lane {
  readonly sftp: SFTPWrapper
  readonly handle: Buffer
  /** Ends the channel; the session's own stays. */
  readonly end: () => void
  /** Requests that wait for their answers. */
  underWay: number
}

/**
 * Opens a file that is being written by one more channel, whose window is its own.
 * @returns undefined where the server grants no channel or does not open the file a second time; after the session's end
 */
export async function openLane(session: SftpSession, path: string): Promise<Lane | undefined> {
  const channel = await session.openChannel()
  if (channel === undefined) return undefined
  const { sftp, end } = channel
  return new Promise((resolve) => {
    session.submit<Buffer>(
      (answer) => sftp.open(path, 'r+', answer),
      (error, handle) => {
        if (!error && handle) {
          resolve({ sftp, handle, end, underWay: 0 })
          return
        }
        if (session.open) end()
        resolve(undefined)
      },
    )
  })
}
