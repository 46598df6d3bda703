import { expect } from 'chai'
import { openProvisioner } from '../../../src/sync/open-provisioner.js'
import { provisionerSettings, type ProvisionerSecret } from '../../../src/sync/provisioner-settings.js'
import type { Provisioner } from '../../../src/sync/provisioner.js'
import { ADMIN, API_KEY, fakeSftpgo, type FakeSftpgo } from '../fake-sftpgo.js'
import { drivers } from '../managed-server.js'
import { describeProvisioner } from '../provisioner-conformance.js'

function openOn(fake: FakeSftpgo, secret: ProvisionerSecret, more: object = {}): Promise<Provisioner> {
  const endpoint = {
    protocol: 'sftp',
    host: '127.0.0.1',
    port: 1,
    trust: { kind: 'pinned', fingerprints: [] },
  } as const
  const settings = provisionerSettings.parse({ kind: 'sftpgo', url: fake.url, ...more })
  return openProvisioner({ drivers, server: { endpoint, admin: undefined }, settings, secret })
}

describeProvisioner('Users of SFTPGo', async () => {
  const fake = await fakeSftpgo()
  const foreign = { name: 'foreigner', password: 'not-yours' }
  fake.users.set(foreign.name, {
    username: foreign.name,
    password: foreign.password,
    status: 1,
    home_dir: '/srv/sftpgo/data/foreigner',
    permissions: { '/': ['*'] },
  })
  return {
    open: () => openOn(fake, { password: ADMIN.password }, { username: ADMIN.username }),
    connect: fake.connect,
    foreign,
    reserved: ['root', 'daemon'],
    stop: () => fake.stop(),
  }
})

describe('SFTPGo', () => {
  let fake: FakeSftpgo
  before(async () => {
    fake = await fakeSftpgo()
  })
  after(() => fake?.stop())
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'nothing',
      (error: { code: string }) => error.code,
    )

  it('is asked anew for a token when the first has run out, and never more than once', async () => {
    const provisioner = await openOn(fake, { password: ADMIN.password }, { username: ADMIN.username })
    fake.expireTokens()
    fake.requests.length = 0
    await provisioner.read({})
    const asked = fake.requests.map((request) => request.replace(/\?.*/, ''))
    expect(asked).to.deep.equal(['GET /api/v2/users', 'GET /api/v2/token', 'GET /api/v2/users'])
  })

  it('takes an API key, and refuses a wrong one', async () => {
    expect(await (await openOn(fake, { apiKey: API_KEY })).read({})).to.deep.equal([])
    expect(await codeOf((await openOn(fake, { apiKey: 'wrong' })).read({}))).to.equal('LOGIN_REJECTED')
    const wrong = openOn(fake, { password: 'wrong' }, { username: ADMIN.username })
    expect(await codeOf(wrong)).to.equal('LOGIN_REJECTED')
    expect(await codeOf(openOn(fake, {}))).to.equal('UNSUPPORTED')
  })

  it('is read page by page', async () => {
    for (let i = 0; i < 501; i++) {
      const username = `user${String(i).padStart(4, '0')}`
      fake.users.set(username, { username, status: 1, home_dir: `/srv/sftpgo/data/${username}` })
    }
    const names = (await (await openOn(fake, { apiKey: API_KEY })).read({})).map(({ name }) => name)
    expect(names).to.have.length(501)
    expect(new Set(names).size).to.equal(501)
    fake.users.clear()
  })

  it('keeps what an admin set on a user, and puts who is disabled out', async () => {
    const provisioner = await openOn(fake, { apiKey: API_KEY })
    const home = provisioner.defaultHome('kept')
    await provisioner.create?.({ name: 'kept', home, secret: { kind: 'password', password: 'one' }, mark: 'm' }, {})
    const user = fake.users.get('kept')
    if (user) user['uid'] = 1234
    fake.requests.length = 0
    await provisioner.disable?.('kept', {})
    expect(fake.requests.at(-1)).to.equal('PUT /api/v2/users/kept?disconnect=1')
    expect(fake.users.get('kept')).to.include({ uid: 1234, status: 0, password: 'one' })
  })

  it('repeats no password in an error', async () => {
    const provisioner = await openOn(fake, { apiKey: API_KEY }, { permissions: ['*'] })
    const user = { username: 'odd', status: 1, home_dir: '/srv/sftpgo/data/odd', strange: true }
    fake.users.set('odd', user)
    const secret = { kind: 'password', password: 'canary-4711' } as const
    const error = await provisioner.setSecret?.('odd', secret, {}).catch((thrown: unknown) => thrown as Error)
    expect(error).to.include({ code: 'PROTOCOL' })
    expect((error as Error).message)
      .to.include('***')
      .and.not.include('canary')
  })
})
