import { labFor, type Lab } from '../../lab/lab.js'
import { accountOnMachine } from '../lab-accounts.js'
import { connectTo, provisionerOf, sshSettings } from '../managed-server.js'
import { describeProvisioner, type ProvisionerSetup } from '../provisioner-conformance.js'

const FOREIGN = { name: 'foreigner', password: 'not-yours' }
const RESERVED = ['root', 'daemon', 'nobody', 'sshd', 'steward', 'www-data', 'systemd-network']

function onMachine(lab: Lab, setup: Pick<ProvisionerSetup, 'open' | 'connect'>): ProvisionerSetup {
  return { ...setup, local: (path) => path, foreign: FOREIGN, reserved: RESERVED, stop: () => lab.stop() }
}

describeProvisioner('Unix accounts, as root over the server’s own SFTP address', async function () {
  const lab = await labFor(this, { daemons: ['sshd'], machine: true })
  await accountOnMachine(lab.machine, FOREIGN)
  const server = lab.daemon('sshd')
  const settings = { kind: 'system', homeBase: lab.machine.homes, authorizedKeys: '/etc/ssh/authorized_keys' }
  const open = provisionerOf({ server, admin: lab.machine.root, settings })
  return onMachine(lab, { open, connect: connectTo(server) })
})

describeProvisioner('Unix accounts of vsftpd, by sudo over SSH', async function () {
  const lab = await labFor(this, { daemons: ['vsftpd', 'sshd'], machine: true })
  await accountOnMachine(lab.machine, FOREIGN)
  const { steward, homes } = lab.machine
  await lab.machine.grant('ALL=(root) NOPASSWD: ALL')
  const server = lab.daemon('vsftpd')
  const settings = { kind: 'system', ssh: sshSettings(lab.daemon('sshd'), steward.username), homeBase: homes }
  const open = provisionerOf({ server, settings, secret: { password: steward.password } })
  return onMachine(lab, { open, connect: connectTo(server) })
})
