import { writeFile } from 'node:fs/promises'
import { encrypt } from 'unixcrypt'
import { labFor } from '../../lab/lab.js'
import { connectTo, provisionerOf, sshSettings } from '../managed-server.js'
import { describeProvisioner } from '../provisioner-conformance.js'

describeProvisioner('Accounts in proftpd’s AuthUserFile', async function () {
  const lab = await labFor(this, {
    daemons: [{ kind: 'proftpd', settings: ['AuthGroupFile /etc/ftpd.group'] }, 'sshd'],
    machine: true,
  })
  const { homes, root } = lab.machine
  const server = lab.daemon('proftpd')
  const foreign = { name: 'foreigner', password: 'not-yours' }
  const lines = [
    `foreigner:${encrypt(foreign.password)}:1500:1500:A Person:/:/bin/sh`,
    `lowly:${encrypt('x')}:999:999::/:/bin/sh`,
  ]
  await writeFile(server.authUserFile, lines.join('\n'), { mode: 0o600 })
  const settings = {
    kind: 'proftpd-file',
    ssh: sshSettings(lab.daemon('sshd'), root.username),
    userFile: server.authUserFile,
    groupFile: '/etc/ftpd.group',
    homeBase: homes,
  }
  return {
    open: provisionerOf({ server, settings, secret: { privateKey: root.privateKey } }),
    connect: connectTo(server),
    local: (remote) => remote,
    foreign,
    reserved: ['root', 'lowly', 'daemon'],
    stop: () => lab.stop(),
  }
})
