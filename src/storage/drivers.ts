import { createDialer } from './dialer.js'
import type { Deadlines, Dialer, Driver, Protocol } from './driver.js'
import { createFtpDriver } from './ftp/ftp-driver.js'
import { createSftpDriver } from './sftp/sftp-driver.js'

export interface Drivers {
  readonly dial: Dialer
  driverFor(protocol: Protocol): Driver
}

export interface DriverOptions {
  readonly deadlines: Deadlines
  /** Networks (CIDR) where servers may stand besides public and private addresses. */
  readonly allowNetworks: readonly string[]
}

/** One driver for each protocol, all behind the same rules for addresses. */
export function createDrivers({ deadlines, allowNetworks }: DriverOptions): Drivers {
  const dial = createDialer({ allow: allowNetworks, connectTimeout: deadlines.connect })
  const ftp = createFtpDriver({ deadlines, dial })
  const sftp = createSftpDriver({ deadlines, dial })
  return { dial, driverFor: (protocol) => (protocol === 'sftp' ? sftp : ftp) }
}
