import { expect } from 'chai'
import { applyCluster } from '../../src/cli/apply-cluster.js'
import { parseCluster } from '../../src/cli/cluster-file.js'
import { exportCluster } from '../../src/cli/export-cluster.js'
import { ConflictError, ValidationError } from '../../src/errors.js'
import { actor, FINGERPRINT, openTestServices, rejectionOf, type TestServices } from '../support/services.js'

const FILE = `
servers:
  - { alias: server2, protocol: sftp, host: h, trust: { firstUse: true }, adminUser: root, adminPassword: geheim }
  - { alias: server3, protocol: ftp, host: h, enabled: false, limits: { maxConnections: 3 } }
users:
  - { username: boss, password: password-0, admin: true }
  - { username: user1, password: password-1 }
permissions:
  - { user: user1, server: SERVER2, password: geheim, access: read-only, root: projects, endsAt: 2099-01-31, selfService: true }
  - { user: user1, server: server3, remoteUser: anonymous }
`

describe('applyCluster', () => {
  let services: TestServices

  beforeEach(async () => (services = await openTestServices()))
  afterEach(() => services.close())

  async function apply(text: string, options: { dryRun?: boolean } = {}): Promise<string[]> {
    const cluster = parseCluster(text, { env: {}, folder: services.folder })
    const changes = await applyCluster(services, cluster, actor, options)
    return changes.map(({ made, what, fields }) => `${made ? 'made' : 'changed'} ${what} ${fields.join()}`.trim())
  }

  async function state(): Promise<string> {
    const { Server, User, Permission, AuditEvent, Revision } = services.database.models
    return JSON.stringify([
      await Server.findAll(),
      await User.findAll(),
      await Permission.findAll(),
      await AuditEvent.findAll(),
      await Revision.findAll(),
    ])
  }

  it('makes everything once', async () => {
    expect(await apply(FILE)).to.deep.equal([
      'made server server2',
      'made server server3',
      'made user boss',
      'made user user1',
      'made permission user1 on server2',
      'made permission user1 on server3',
    ])
    const before = await state()
    expect(await apply(FILE)).to.deep.equal([])
    expect(await state(), 'not even the revision').to.equal(before)
  })

  it('changes what differs, and only that', async () => {
    await apply(FILE)
    const changed = FILE.replace('password-1', 'password-9')
      .replace('root: projects', 'root: other')
      .replace('host: h, trust', 'host: h2, trust')
      .replace('password: geheim, access', 'password: neu, access')
      .replace('enabled: false', 'enabled: true')
    expect(await apply(changed)).to.deep.equal([
      'changed server server2 host',
      'changed server server3 enabled',
      'changed user user1 password',
      'changed permission user1 on server2 root,password',
    ])
    expect(await apply(changed)).to.deep.equal([])
  })

  it('leaves alone what the file does not say', async () => {
    await apply(FILE)
    const less = `
servers: [{ alias: server2, protocol: sftp, host: h }]
users: [{ username: boss }, { username: user1 }]
permissions: [{ user: user1, server: server2 }]`
    expect(await apply(less)).to.deep.equal([])
    expect(await services.permissions.list()).to.have.length(2)
  })

  it('keeps the fingerprint of the first use', async () => {
    await apply(FILE)
    const server = await services.servers.find('server2')
    await services.servers.pinFirstUse(server?.id ?? 0, FINGERPRINT, actor)
    expect(await apply(FILE)).to.deep.equal([])
    expect((await services.servers.find('server2'))?.trust.kind).to.equal('pinned')
  })

  it('says in a dry run what it would do, and does nothing', async () => {
    const before = await state()
    expect(await apply(FILE, { dryRun: true })).to.have.length(6)
    expect(await state()).to.equal(before)
  })

  it('does nothing at all when a part cannot be done, and says where', async () => {
    const before = await state()
    const parts: [string, string][] = [
      [FILE + '  - { user: nobody, server: server2 }\n', 'permissions[2].user'],
      [FILE.replace('boss, password: password-0', 'boss'), 'users[0].password'],
      [FILE.replace('password-1', 'iloveyou'), 'users[1].password'],
      [FILE.replace('protocol: ftp', 'protocol: ftps'), 'servers[1].trust'],
    ]
    for (const [text, field] of parts) {
      const error = await rejectionOf(apply(text))
      expect(error).to.be.instanceOf(ValidationError)
      expect((error as ValidationError).problems.map((problem) => problem.field)).to.deep.equal([field])
      expect(await state()).to.equal(before)
    }
  })

  it('does not take the last admin away', async () => {
    await apply(FILE)
    const before = await state()
    expect(await rejectionOf(apply(FILE.replace('admin: true', 'admin: false')))).to.be.instanceOf(ConflictError)
    expect(await state()).to.equal(before)
  })

  it('takes back its own export, here and on an empty gateway', async () => {
    await apply(FILE)
    const bare = await exportCluster(services)
    expect(bare).to.not.match(/geheim|password|\$2b/i)
    expect(await apply(bare)).to.deep.equal([])
    const whole = await exportCluster(services, { secrets: true })
    expect(await apply(whole)).to.deep.equal([])
    const others = await openTestServices()
    try {
      await applyCluster(others, parseCluster(whole, { env: {}, folder: others.folder }), actor)
      expect(await exportCluster(others, { secrets: true })).to.equal(whole)
      const stored = await others.users.credentials('user1')
      expect(await others.hasher.matches('password-1', stored?.passwordHash ?? '')).to.equal(true)
    } finally {
      await others.close()
    }
  })
})
