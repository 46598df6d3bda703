import { expect } from 'chai'
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { labFor } from '../../lab/lab.js'
import { labPrograms } from '../../lab/programs.js'
import { must } from '../../lab/run.js'
import { grantAsInGuide } from '../guide.js'
import { connectTo, provisionerOf, sshSettings } from '../managed-server.js'
import { describeProvisioner } from '../provisioner-conformance.js'

const FOREIGN = { name: 'foreigner', password: 'not-yours' }

/** With the rights of the guide. */
async function started(context: Mocha.Context) {
  const daemons = [{ kind: 'pure-ftpd', settings: ['--login', 'puredb:/etc/pure-ftpd/pureftpd.pdb'] } as const]
  const lab = await labFor(context, { daemons: [...daemons, 'sshd'], machine: true })
  const { homes, steward, etc } = lab.machine
  const server = lab.daemon('pure-ftpd')
  const folder = path.join(etc, 'pure-ftpd')
  await mkdir(folder, { recursive: true })
  const { env } = await labPrograms()
  const passwd = path.join(folder, 'pureftpd.passwd')
  await writeFile(passwd, '', { mode: 0o600 })
  const add = (name: string, password: string, uid: string) =>
    must('pure-pw', ['useradd', name, '-f', passwd, '-u', uid, '-g', uid, '-d', homes], {
      env,
      input: `${password}\n${password}\n`,
    })
  await add(FOREIGN.name, FOREIGN.password, '1500')
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
  return { lab, passwd, server, managed: { server, settings, secret: { password: steward.password } } }
}

describeProvisioner('Virtual accounts of pure-ftpd', async function () {
  const { lab, server, managed } = await started(this)
  return {
    open: provisionerOf(managed),
    connect: connectTo(server),
    local: (remote) => remote,
    foreign: FOREIGN,
    reserved: ['root', 'lowly', 'daemon'],
    stop: () => lab.stop(),
  }
})

describe('The file of pure-ftpd’s accounts', function () {
  this.timeout(120_000)
  let pure: Awaited<ReturnType<typeof started>>
  before(async function () {
    pure = await started(this)
  })
  after(() => pure?.lab.stop())

  it('is changed by the guide’s lines of sudo also where a killed run left its lock, which goes', async () => {
    const left = `${pure.passwd}.ftpcluster-1-lab-0123456789abcdef`
    await mkdir(left)
    await writeFile(path.join(left, 'half'), 'a hash')
    await symlink(path.basename(left), `${pure.passwd}.ftpcluster-lock`)
    const provisioner = await provisionerOf(pure.managed, { owner: '1-lab' })()
    try {
      const secret = { kind: 'password', password: 'the password' } as const
      await provisioner.create?.({ name: 'dora', home: provisioner.defaultHome('dora'), mark: 'mark', secret }, {})
    } finally {
      await provisioner.close()
    }
    const beside = await readdir(path.dirname(pure.passwd))
    expect(beside.filter((name) => name.includes('.ftpcluster-'))).to.deep.equal([])
    expect(await readFile(pure.passwd, 'utf8')).to.match(/^dora:/m)
  })
})
