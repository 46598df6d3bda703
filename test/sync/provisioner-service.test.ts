import { expect } from 'chai'
import { ValidationError } from '../../src/errors.js'
import type { ProvisionerInput } from '../../src/sync/provisioner-service.js'
import type { SecretChanges } from '../../src/sync/provisioner-settings.js'
import { actor, rejectionOf } from '../support/services.js'
import { openSync, SETTINGS, type SyncFixture } from './sync-fixture.js'

describe('ProvisionerService', () => {
  let fixture: SyncFixture

  beforeEach(async () => (fixture = await openSync()))
  afterEach(() => fixture.close())

  it('takes keys as secrets for sftp servers only', async () => {
    const { id } = await fixture.server('ftp')
    const input = { settings: SETTINGS, secretKind: 'key' as const }
    expect(await rejectionOf(fixture.provisioners.set(id, input, actor)))
      .to.be.instanceOf(ValidationError)
      .with.property('message', 'provisioner.secretKind: must be password: keys are for sftp servers only')
    const sftp = await fixture.server('sftp', { protocol: 'sftp' })
    expect((await fixture.provisioners.set(sftp.id, input, actor)).provisioner).to.include({ secretKind: 'key' })
  })

  for (const [what, settings, problem] of [
    [
      'whose kind takes none',
      { kind: 'pure-ftpd' },
      'secretKind: must be password: accounts of the kind pure-ftpd take no keys',
    ],
    [
      'without a folder for them',
      { kind: 'system' },
      'settings.authorizedKeys: is needed where accounts log in with keys, such as /etc/ssh/authorized_keys',
    ],
    [
      'whose commands take none',
      { kind: 'command', commands: { read: ['read'] } },
      'settings.secrets: must hold keys where accounts log in with them',
    ],
  ] as const) {
    it(`takes no keys for accounts ${what}, and says what mends it`, async () => {
      const { id } = await fixture.server('alpha', { protocol: 'sftp' })
      const input = { settings, secretKind: 'key' } as ProvisionerInput
      expect(await rejectionOf(fixture.provisioners.set(id, input, actor)))
        .to.be.instanceOf(ValidationError)
        .with.property('message', `provisioner.${problem}`)
    })
  }

  describe('a secret of its login', () => {
    it('stays where it is left out, and is forgotten by null, each by itself', async () => {
      const { id } = await fixture.server('alpha', { secrets: { privateKey: 'a key', passphrase: 'its phrase' } })
      const set = async (secrets?: SecretChanges | null) => {
        const input = { settings: SETTINGS, ...(secrets !== undefined && { secrets }) }
        const { changed } = await fixture.provisioners.set(id, input, actor)
        return { changed, stored: await fixture.provisioners.secrets(id) }
      }
      const key = { privateKey: 'a key', passphrase: 'its phrase' }
      expect(await set()).to.deep.equal({ changed: [], stored: key })
      expect(await set({})).to.deep.equal({ changed: [], stored: key })
      expect(await set({ passphrase: 'its phrase' })).to.deep.equal({ changed: [], stored: key })
      expect(await set({ password: 'word' })).to.deep.equal({
        changed: ['secrets'],
        stored: { ...key, password: 'word' },
      })
      const last = { changed: ['secrets'], stored: { password: 'word' } }
      expect(await set({ privateKey: null, passphrase: null })).to.deep.equal(last)
      expect(await set(null)).to.deep.equal({ changed: ['secrets'], stored: undefined })
    })

    it('is of no use to another kind, and goes with its own', async () => {
      const { id } = await fixture.server('alpha', { secrets: { password: 'of ssh' } })
      const settings = { kind: 'sftpgo', url: 'https://files.example.org' } as const
      const { changed } = await fixture.provisioners.set(id, { settings, secrets: { apiKey: 'k' } }, actor)
      expect(changed).to.include('secrets')
      expect(await fixture.provisioners.secrets(id)).to.deep.equal({ apiKey: 'k' })
      await fixture.provisioners.set(id, { settings: SETTINGS }, actor)
      expect(await fixture.provisioners.secrets(id)).to.equal(undefined)
    })
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
