import { expect } from 'chai'
import { ValidationError } from '../../src/errors.js'
import { actor, rejectionOf } from '../support/services.js'
import { openSync, type SyncFixture } from './sync-fixture.js'

describe('ProvisionerService', () => {
  let fixture: SyncFixture

  beforeEach(async () => (fixture = await openSync()))
  afterEach(() => fixture.close())

  it('takes keys as secrets for sftp servers only', async () => {
    const { id } = await fixture.server('ftp')
    const input = { settings: { kind: 'system' as const }, secretKind: 'key' as const }
    expect(await rejectionOf(fixture.provisioners.set(id, input, actor)))
      .to.be.instanceOf(ValidationError)
      .with.property('message', 'provisioner.secretKind: must be password: keys are for sftp servers only')
    const sftp = await fixture.server('sftp', { protocol: 'sftp' })
    expect((await fixture.provisioners.set(sftp.id, input, actor)).provisioner).to.include({ secretKind: 'key' })
  })

  it('gives accounts passwords where a server became an FTP server after keys were chosen', async () => {
    const { id, memory } = await fixture.server('alpha', { protocol: 'sftp', secretKind: 'key' })
    await fixture.services.servers.update(id, { protocol: 'ftp' }, actor)
    const user = await fixture.user('anna')
    const permission = await fixture.grant(user.id, id)
    await fixture.planAndApply()
    const { password } = await fixture.services.permissions.login(permission.id)
    expect(password).to.be.a('string')
    expect(memory.accounts.get('anna')?.secret).to.equal(password)
  })
})
