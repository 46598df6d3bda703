import { expect } from 'chai'
import { RestrictedAccess } from '../../src/permissions/restricted-access.js'
import type { UserAccess } from '../../src/vfs/mount.js'
import { actor, openTestServices, type TestServices } from '../support/services.js'

describe('RestrictedAccess', () => {
  let services: TestServices
  let access: UserAccess
  const serverIds: number[] = []
  const restricted = new RestrictedAccess()

  before(async () => {
    services = await openTestServices()
    const { id: userId } = await services.users.create({ username: 'user1', password: 'password-1' }, actor)
    for (const alias of ['a', 'b']) {
      const server = await services.servers.create({ alias, protocol: 'ftp', host: '192.0.2.1', port: 21 }, actor)
      serverIds.push(server.id)
      await services.permissions.grant({ userId, serverId: server.id }, actor)
    }
    const loaded = await services.access.accessOf(userId)
    if (!loaded) throw new Error('no access')
    access = loaded
  })
  after(() => services.close())

  const seen = ({ mounts }: UserAccess) => mounts.map((mount) => `${mount.alias} ${mount.access}`)

  it('shows the servers that were named', () => {
    const derived = restricted.of(access, { servers: [serverIds[1] ?? 0], readOnly: false, credential: 'api-token:1' })
    expect(seen(derived)).to.deep.equal(['b read-write'])
    expect(derived).to.include({ userId: access.userId, authVersion: access.authVersion, credential: 'api-token:1' })
  })

  it('lets nobody write who may only read', () => {
    const derived = restricted.of(access, { readOnly: true, credential: 'api-token:2' })
    expect(seen(derived)).to.deep.equal(['a read-only', 'b read-only'])
  })

  it('gives the equal access again, so that its tree is equal too', () => {
    const of = (credential: string) => restricted.of(access, { readOnly: true, credential })
    expect(of('app-password:1')).to.equal(of('app-password:1'))
    expect(of('app-password:1')).to.not.equal(of('app-password:2'))
  })

  it('keeps no more than a hundred for one user, whatever logs in', () => {
    const of = (credential: string) => restricted.of(access, { readOnly: false, credential })
    const first = of('jwt:first')
    for (let n = 0; n < 99; n++) of(`jwt:${n}`)
    expect(of('jwt:first')).to.equal(first)
    for (let n = 100; n < 200; n++) of(`jwt:${n}`)
    expect(of('jwt:first')).to.not.equal(first)
  })

  it('gives a new one once the user may reach something else', () => {
    const restriction = { readOnly: false, credential: 'app-password:1' }
    const before = restricted.of(access, restriction)
    const [first] = access.mounts
    const after = restricted.of({ ...access, mounts: first ? [first] : [] }, restriction)
    expect(after).to.not.equal(before)
    expect(seen(after)).to.deep.equal(['a read-write'])
  })
})
