import { chmod, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { labFor } from '../../lab/lab.js'
import { labPrograms } from '../../lab/programs.js'
import { must } from '../../lab/run.js'
import { grantAsInGuide } from '../guide.js'
import { connectTo, provisionerOf, sshSettings } from '../managed-server.js'
import { describeProvisioner } from '../provisioner-conformance.js'

describeProvisioner('Virtual accounts of pure-ftpd', async function () {
  const daemons = [{ kind: 'pure-ftpd', settings: ['--login', 'puredb:/etc/pure-ftpd/pureftpd.pdb'] } as const]
  const lab = await labFor(this, { daemons: [...daemons, 'sshd'], machine: true })
  const { homes, steward, etc } = lab.machine
  const server = lab.daemon('pure-ftpd')
  const folder = path.join(etc, 'pure-ftpd')
  await mkdir(folder, { recursive: true })
  const foreign = { name: 'foreigner', password: 'not-yours' }
  const { env } = await labPrograms()
  const passwd = path.join(folder, 'pureftpd.passwd')
  await writeFile(passwd, '', { mode: 0o600 })
  const add = (name: string, password: string, uid: string) =>
    must('pure-pw', ['useradd', name, '-f', passwd, '-u', uid, '-g', uid, '-d', homes], {
      env,
      input: `${password}\n${password}\n`,
    })
  await add(foreign.name, foreign.password, '1500')
  await add('lowly', 'x', '999')
  await must('pure-pw', ['mkdb', path.join(folder, 'pureftpd.pdb'), '-f', passwd], { env })
  await chmod(passwd, 0o600)
  const settings = {
    kind: 'pure-ftpd',
    ssh: sshSettings(lab.daemon('sshd'), steward.username),
    program: lab.machine.purePw,
    homeBase: homes,
  }
  await grantAsInGuide(lab.machine, ['FTPCLUSTER_PURE'], {
    '/usr/bin/pure-pw': lab.machine.purePw,
    '/srv/ftp/': `${homes}/`,
  })
  return {
    open: provisionerOf({ server, settings, secret: { password: steward.password } }),
    connect: connectTo(server),
    local: (remote) => remote,
    foreign,
    reserved: ['root', 'lowly', 'daemon'],
    stop: () => lab.stop(),
  }
})
