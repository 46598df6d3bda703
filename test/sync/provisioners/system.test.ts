import { labFor, type Lab } from '../../lab/lab.js'
import { grantAsInGuide } from '../guide.js'
import { accountOnMachine } from '../lab-accounts.js'
import { connectTo, provisionerOf, sshSettings } from '../managed-server.js'
import { describeProvisioner, type ProvisionerSetup } from '../provisioner-conformance.js'

const FOREIGN = { name: 'foreigner', password: 'not-yours' }
const RESERVED = ['root', 'daemon', 'nobody', 'sshd', 'steward', 'www-data', 'systemd-network']

function onMachine(lab: Lab, setup: Pick<ProvisionerSetup, 'open' | 'connect'>): ProvisionerSetup {
  return { ...setup, local: (path) => path, foreign: FOREIGN, reserved: RESERVED, stop: () => lab.stop() }
}

describeProvisioner(
  'Unix accounts, by the guide’s lines of sudo over the server’s own SFTP address',
  async function () {
    const lab = await labFor(this, { daemons: ['sshd'], machine: true })
    await accountOnMachine(lab.machine, FOREIGN)
    const server = lab.daemon('sshd')
    const { homes, steward } = lab.machine
    await grantAsInGuide(lab.machine, ['FTPCLUSTER', 'FTPCLUSTER_KEYS'], { '/home/': `${homes}/` })
    const settings = { kind: 'system', homeBase: homes, authorizedKeys: '/etc/ssh/authorized_keys' }
    const open = provisionerOf({ server, admin: steward, settings })
    return onMachine(lab, { open, connect: connectTo(server) })
  },
)

describeProvisioner('Unix accounts of vsftpd, as root over SSH', async function () {
  const lab = await labFor(this, { daemons: ['vsftpd', 'sshd'], machine: true })
  await accountOnMachine(lab.machine, FOREIGN)
  const { root, homes } = lab.machine
  const server = lab.daemon('vsftpd')
  const settings = { kind: 'system', ssh: sshSettings(lab.daemon('sshd'), root.username), homeBase: homes }
  const open = provisionerOf({ server, settings, secret: { privateKey: root.privateKey } })
  return onMachine(lab, { open, connect: connectTo(server) })
})
