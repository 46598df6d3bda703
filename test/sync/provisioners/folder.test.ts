import { expect } from 'chai'
import { symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { labFor, localPath, type DaemonKind, type Lab } from '../../lab/lab.js'
import { connectTo, provisionerOf } from '../managed-server.js'
import { describeProvisioner } from '../provisioner-conformance.js'

for (const kind of ['proftpd', 'sshd'] as const satisfies DaemonKind[]) {
  describeProvisioner(`Home folders on ${kind}`, async function () {
    const lab = await labFor(this, { daemons: [kind] })
    const server = lab.daemon(kind)
    const admin = server.account('alice')
    return {
      open: provisionerOf({ server, admin, settings: { kind: 'folder' } }),
      connect: connectTo(server),
      foreign: { name: 'bob', password: '' },
      reserved: ['root', 'nobody'],
      stop: () => lab.stop(),
    }
  })
}

describe('home folders', () => {
  let lab: Lab
  before(async function () {
    lab = await labFor(this, { daemons: ['sshd'] })
  })
  after(() => lab?.stop())

  it('are made right below the folder that was set, and only real folders count', async () => {
    const server = lab.daemon('sshd')
    const admin = server.account('alice')
    const base = path.posix.join(admin.remoteHome, 'homes')
    const provisioner = await provisionerOf({ server, admin, settings: { kind: 'folder', base } })()
    const inside = (name: string) => localPath(admin, path.posix.join(base, name))
    const parent = await connectTo(server)(admin)
    await parent.makeDirectory(base)
    parent.close()
    await provisioner.makeHome('bea', `${base}/bea`, {})
    await writeFile(inside('file'), '')
    await symlink('/etc', inside('link'))
    expect((await provisioner.read({})).map(({ name }) => name)).to.deep.equal(['bea'])
    for (const name of ['file', 'link']) {
      const error = await provisioner.makeHome(name, `${base}/${name}`, {}).catch((thrown: unknown) => thrown)
      expect(error).to.include({ code: 'NAME_TAKEN' })
    }
    await provisioner.close()
  })

  it('need an admin login', async () => {
    const server = lab.daemon('sshd')
    const error = await provisionerOf({ server, settings: { kind: 'folder' } })().catch((thrown: unknown) => thrown)
    expect(error).to.include({ code: 'UNSUPPORTED' })
  })
})
