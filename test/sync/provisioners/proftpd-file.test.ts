import { expect } from 'chai'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { encrypt } from 'unixcrypt'
import type { ProvisionError } from '../../../src/sync/provision-error.js'
import type { Provisioner } from '../../../src/sync/provisioner.js'
import { labFor, type Lab } from '../../lab/lab.js'
import { rejectionOf } from '../../support/services.js'
import { grantAsInGuide } from '../guide.js'
import { connectTo, provisionerOf, sshSettings } from '../managed-server.js'
import { describeProvisioner } from '../provisioner-conformance.js'

/** As the gateway signs its locks: what its earlier runs left is swept away. */
const OWNER = '1-lab'

const startLab = (context: Mocha.Context) =>
  labFor(context, {
    daemons: [{ kind: 'proftpd', settings: ['AuthGroupFile /etc/ftpd.group'] }, 'sshd'],
    machine: true,
  })

/** With the rights of the guide, for the two files that lie apart here. */
async function opener(lab: Lab, owner?: string): Promise<() => Promise<Provisioner>> {
  const { homes, steward } = lab.machine
  const server = lab.daemon('proftpd')
  const settings = {
    kind: 'proftpd-file',
    ssh: sshSettings(lab.daemon('sshd'), steward.username),
    userFile: server.authUserFile,
    groupFile: '/etc/ftpd.group',
    homeBase: homes,
  }
  const ofUsers = {
    '/etc/proftpd/ftpd.': server.authUserFile,
    ' ftpd.': ` ${path.basename(server.authUserFile)}`,
    '/etc/proftpd': path.dirname(server.authUserFile),
  }
  const ofGroups = { '/etc/proftpd': '/etc' }
  const ofHomes = { '/srv/ftp/': `${homes}/` }
  await grantAsInGuide(lab.machine, ['FTPCLUSTER_FILES'], { ...ofUsers, ...ofHomes }, { ...ofGroups, ...ofHomes })
  return provisionerOf({ server, settings, secret: { password: steward.password } }, { owner })
}

describeProvisioner('Accounts in proftpd’s AuthUserFile', async function () {
  const lab = await startLab(this)
  const server = lab.daemon('proftpd')
  const foreign = { name: 'foreigner', password: 'not-yours' }
  const lines = [
    `foreigner:${encrypt(foreign.password)}:1500:1500:A Person:/:/bin/sh`,
    `lowly:${encrypt('x')}:999:999::/:/bin/sh`,
  ]
  await writeFile(server.authUserFile, lines.join('\n'), { mode: 0o600 })
  return {
    open: await opener(lab),
    connect: connectTo(server),
    local: (remote) => remote,
    foreign,
    reserved: ['root', 'lowly', 'daemon'],
    stop: () => lab.stop(),
  }
})

describe('The group of an account in proftpd’s AuthUserFile', function () {
  this.timeout(120_000)
  let lab: Lab
  let provisioner: Provisioner

  before(async function () {
    lab = await startLab(this)
    await writeUsers('')
    provisioner = await (await opener(lab))()
  })
  after(async () => {
    await provisioner?.close()
    await lab?.stop()
  })

  const writeUsers = (text: string) => writeFile(lab.daemon('proftpd').authUserFile, text, { mode: 0o600 })
  const groupFile = () => path.join(lab.machine.etc, 'ftpd.group')
  const call = () => ({ signal: AbortSignal.timeout(60_000) })
  const create = (name: string) =>
    provisioner.create?.(
      {
        ...{ name, home: provisioner.defaultHome(name), mark: `mark-${name}` },
        secret: { kind: 'password', password: 'the password' },
      },
      call(),
    )

  it('that outlived its line gives the account its files back', async () => {
    await create('anna')
    const home = provisioner.defaultHome('anna')
    await provisioner.makeHome('anna', home, call())
    const groups = await readFile(groupFile(), 'utf8')
    expect(groups).to.match(/^anna:x:20000:anna$/m)
    await writeUsers('')
    await create('anna')
    await provisioner.makeHome('anna', home, call())
    expect(await readFile(groupFile(), 'utf8')).to.equal(groups)
    expect(await readFile(lab.daemon('proftpd').authUserFile, 'utf8')).to.match(/^anna:[^:]+:20000:20000:mark-anna:/)
    expect((await stat(home)).uid).to.equal((await stat(groupFile())).uid + 20_000)
  })

  it('is made by the guide’s lines of sudo also where a killed run left its locks, which go', async () => {
    const files = [lab.daemon('proftpd').authUserFile, groupFile()]
    for (const file of files) {
      const left = `${file}.ftpcluster-${OWNER}-0123456789abcdef`
      await mkdir(left)
      await writeFile(path.join(left, 'half'), 'a hash')
      await symlink(path.basename(left), `${file}.ftpcluster-lock`)
      await mkdir(`${file}.ftpcluster-2-other-0123456789abcdef`)
    }
    const next = await (await opener(lab, OWNER))()
    try {
      const secret = { kind: 'password', password: 'the password' } as const
      await next.create?.({ name: 'dora', home: next.defaultHome('dora'), mark: 'mark-dora', secret }, call())
    } finally {
      await next.close()
    }
    for (const file of files) {
      const beside = (await readdir(path.dirname(file))).filter((name) => name.startsWith(`${path.basename(file)}.`))
      expect(beside).to.deep.equal([`${path.basename(file)}.ftpcluster-2-other-0123456789abcdef`])
      expect(await readFile(file, 'utf8')).to.match(/^dora:/m)
    }
  })

  for (const [what, line] of [
    ['with somebody else in it', 'bert:x:20500:bert,carla'],
    ['with a number that is not for accounts', 'bert:x:1500:bert'],
    ['with a password', 'bert:secret:20500:bert'],
    ['with the number of another account', 'bert:x:20700:bert'],
  ] as const) {
    it(`is not made the account’s own ${what}`, async () => {
      const users = `carla:${encrypt('x')}:20700:20700::/:/bin/sh\n`
      await writeUsers(users)
      await writeFile(groupFile(), `${line}\n`)
      const error = (await rejectionOf(create('bert') ?? Promise.resolve())) as ProvisionError
      expect(error.code).to.equal('NAME_TAKEN')
      expect(await readFile(groupFile(), 'utf8')).to.equal(`${line}\n`)
      expect(await readFile(lab.daemon('proftpd').authUserFile, 'utf8')).to.equal(users)
    })
  }
})
