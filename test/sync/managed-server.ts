import type { Connection, Login } from '../../src/storage/driver.js'
import { createDrivers } from '../../src/storage/drivers.js'
import { openProvisioner, type ProvisionerOptions } from '../../src/sync/open-provisioner.js'
import { provisionerSettings, type ProvisionerSecret } from '../../src/sync/provisioner-settings.js'
import type { Provisioner } from '../../src/sync/provisioner.js'
import type { LabDaemon } from '../lab/lab.js'

export const drivers = createDrivers({
  deadlines: { connect: 20_000, metadata: 20_000, firstByte: 20_000, stall: 20_000 },
  allowNetworks: ['127.0.0.0/8'],
})

export function connectTo(daemon: LabDaemon): (login: Login) => Promise<Connection> {
  return (login) => drivers.driverFor(daemon.endpoint.protocol).connect(daemon.endpoint, login)
}

export interface Managed {
  readonly server: LabDaemon
  readonly admin?: Login
  /** As an admin writes them. */
  readonly settings: unknown
  readonly secret?: ProvisionerSecret
}

export function provisionerOf({ server, admin, settings, secret }: Managed, more?: Partial<ProvisionerOptions>) {
  return (): Promise<Provisioner> =>
    openProvisioner({
      drivers,
      server: { endpoint: server.endpoint, admin },
      settings: provisionerSettings.parse(settings),
      secret,
      ...more,
    })
}

/** Where programs are run, as settings of a provisioner. */
export function sshSettings(sshd: LabDaemon, username: string) {
  const { host, port, trust } = sshd.endpoint
  return { host, port, username, fingerprints: trust.kind === 'pinned' ? trust.fingerprints : [] }
}
