import { expect } from 'chai'
import { actor, FINGERPRINT } from '../../../support/services.js'
import { startSyncApp, type SyncApp } from './sync-app.js'

const FORM = { kind: 'system', secretKind: 'password', checkEvery: '', rotateEvery: '' }
const SSH = {
  'settings.ssh.host': '10.0.0.7',
  'settings.ssh.port': '22',
  'settings.ssh.username': 'ftpcluster',
  'settings.ssh.fingerprints': FINGERPRINT,
}

describe('page of how accounts of a server are kept', () => {
  let app: SyncApp

  beforeEach(async () => (app = await startSyncApp()))
  afterEach(() => app.close())

  const path = () => `/servers/${app.alpha}/provisioner`
  const shown = async (query = '') => (await app.browser.get(path() + query)).text
  const save = (fields: Record<string, string>) =>
    app.browser.submit(path(), { ...FORM, ...SSH, ...fields }, { from: path(), redirect: 'manual' })
  const known = () => app.sync.provisioners.find(app.alpha)
  const secrets = () => app.sync.provisioners.secrets(app.alpha)

  it('lets each kind be chosen by a link, and shows its own fields with their defaults', async () => {
    await app.sync.provisioners.remove(app.alpha, actor)
    const choice = await shown()
    for (const [kind, field] of [
      ['folder', 'name="settings.base"'],
      ['system', 'value="/usr/sbin/nologin"'],
      ['proftpd-file', 'value="/etc/proftpd/ftpd.passwd"'],
      ['pure-ftpd', 'value="/usr/bin/pure-pw"'],
      ['sftpgo', 'name="settings.url"'],
      ['command', 'name="settings.commands.read"'],
    ] as const) {
      expect(choice).to.include(`href="${path()}?kind=${kind}"`)
      const form = await shown(`?kind=${kind}`)
      expect(form, kind).to.include(`name="kind" value="${kind}"`).and.include(field)
    }
    expect(await shown('?kind=sftpgo')).to.match(/name="settings.url"[^>]* required/)
    expect(await shown('?kind=nonsense')).to.include('Own commands')
    expect((await save({ kind: 'nonsense' })).status).to.equal(422)
  })

  it('saves what was chosen, and shows it again without the secrets', async () => {
    const saved = await save({
      ...{ kind: 'pure-ftpd', 'settings.homeBase': '/srv/homes', 'settings.uids.from': '30000' },
      ...{ 'settings.uids.to': '39999', automatic: 'on', checkEvery: '15', rotateEvery: '90' },
      'secrets.password': 'canary-4711',
    })
    expect([saved.status, saved.headers.get('location')], problemsIn(saved.text)).to.deep.equal([303, '/sync'])
    expect(await known()).to.deep.include({ automatic: true, checkEvery: 15, rotateEvery: 90, hasSecrets: true })
    expect((await known())?.settings).to.deep.include({
      ...{ kind: 'pure-ftpd', homeBase: '/srv/homes', uids: { from: 30_000, to: 39_999 } },
      ssh: { host: '10.0.0.7', port: 22, username: 'ftpcluster', fingerprints: [FINGERPRINT] },
    })
    expect(await shown())
      .to.include('/srv/homes')
      .and.match(/for="field-secrets-password">Password<\/label> <span class="field-mark">is set</)
      .and.not.include('canary')
  })

  it('shows settings of every kind again as they were stored', async () => {
    const read = ['accounts', 'with space ', '', '"quoted"', '{name}']
    await app.sync.provisioners.set(
      app.alpha,
      { settings: { kind: 'command', where: 'gateway', secrets: ['password', 'key'], commands: { read } } },
      actor,
    )
    const before = (await known())?.settings
    const fields = { ...fieldsOf(await shown()), 'settings.secrets': ['password', 'key'] }
    const resent = await app.browser.submit(path(), fields, { from: path(), redirect: 'manual' })
    expect(resent.status, problemsIn(resent.text)).to.equal(303)
    expect((await known())?.settings).to.deep.equal(before)
  })

  it('keeps each stored secret where none is written, and forgets the one that it is told to', async () => {
    await save({ 'secrets.privateKey': 'a key', 'secrets.passphrase': 'its phrase' })
    await save({})
    expect(await secrets()).to.deep.equal({ privateKey: 'a key', passphrase: 'its phrase' })
    await save({ 'secrets.password': 'the secret' })
    expect(await secrets()).to.deep.equal({ privateKey: 'a key', passphrase: 'its phrase', password: 'the secret' })
    await save({ 'forget.privateKey': 'on', 'forget.passphrase': 'on' })
    expect(await secrets()).to.deep.equal({ password: 'the secret' })
  })

  it('forgets the login of a kind when another is chosen', async () => {
    await save({ 'secrets.password': 'of ssh' })
    expect(await shown('?kind=sftpgo'))
      .to.include('until you save this')
      .and.not.include('is set')
    expect((await save({ kind: 'folder' })).status).to.equal(303)
    expect(await known()).to.deep.include({ settings: { kind: 'folder' }, hasSecrets: false })
  })

  it('makes a plan at once when that is asked', async () => {
    const { status, headers } = await save({ 'secrets.password': 'the secret', then: 'plan' })
    expect(status).to.equal(303)
    expect(headers.get('location')).to.match(/^\/sync\/plans\/\d+$/)
  })

  for (const [what, fields, field, words] of [
    ['a home that is no path', { 'settings.homeBase': 'home' }, 'settings-homeBase', 'must be an absolute path'],
    [
      'a fingerprint that is none',
      { 'settings.ssh.fingerprints': `${FINGERPRINT}\nMD5:00` },
      'settings-ssh-fingerprints',
      'Host key in line 2 must be a fingerprint',
    ],
    ['a port that is none', { 'settings.ssh.port': 'ssh' }, 'settings-ssh-port', 'whole number from 1 to 65535'],
    ['keys without a folder for them', { secretKind: 'key' }, 'settings-authorizedKeys', 'is needed where accounts'],
    ['a number that is none', { checkEvery: 'often' }, 'checkEvery', 'must be a number of minutes'],
    [
      'numbers of accounts the wrong way round',
      { kind: 'pure-ftpd', 'settings.uids.from': '30000', 'settings.uids.to': '20000' },
      'settings-uids-to',
      'must not be below the first',
    ],
    ['no login', { 'settings.ssh.username': '' }, 'settings-ssh-username', 'Login is required'],
    ['no command', { kind: 'command' }, 'settings-commands-read', 'Read is required'],
    ['no address', { kind: 'sftpgo' }, 'settings-url', 'must be an address such as'],
  ] as const) {
    it(`refuses ${what} beside the field, and keeps what was written`, async () => {
      const before = await known()
      const { status, text } = await save({ ...fields, 'secrets.password': 'canary' })
      expect(status).to.equal(422)
      expect(text).to.match(new RegExp(`id="field-${field}-problem">[^<]*${words}`))
      const [written] = Object.values(fields).slice(-1)
      expect(text).to.include(String(written)).and.not.include('canary')
      expect(await known()).to.deep.equal(before)
    })
  }

  it('says what the gateway’s own login lacks, before a server is asked', async () => {
    expect((await save({})).text).to.include('Private key or a password is needed for this SSH login')
    const sftpgo = { kind: 'sftpgo', 'settings.url': 'https://files.example.org' }
    expect((await save(sftpgo)).text).to.include('API key is needed')
    expect((await save({ ...sftpgo, 'settings.username': 'a' })).text).to.include(
      'Password of the administrator is needed',
    )
    const none = Object.fromEntries(Object.keys(SSH).map((name) => [name, '']))
    expect((await save({ ...none, 'secrets.password': 'x' })).text, 'alpha has no admin login').to.include(
      'Login is required',
    )
    await app.servers.update(app.alpha, { adminUser: 'root', adminPassword: 'secret' }, actor)
    expect((await save(none)).status).to.equal(303)
    expect((await known())?.settings).to.not.have.property('ssh')
  })

  it('lets the accounts of a server alone from then on', async () => {
    await app.applied()
    const { status } = await app.browser.submit(`${path()}/remove`, {}, { from: path(), redirect: 'manual' })
    expect([status, await known()]).to.deep.equal([303, undefined])
    expect(app.accounts.accounts.get('anna')).to.include({ state: 'enabled' })
    expect(await shown()).to.not.include('any more')
  })

  it('is 404 for a server that is not there', async () => {
    expect((await app.browser.get('/servers/999/provisioner')).status).to.equal(404)
  })
})

/** What a browser would send of the page's form, one value for each field. */
function fieldsOf(html: string): Record<string, string> {
  const form = html.slice(html.indexOf('panel-form'), html.indexOf('</form>', html.indexOf('panel-form')))
  const text = (value: string) =>
    value.replaceAll('&#34;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
  const inputs = [...form.matchAll(/<input [^>]*name="([^"]+)" type="text" value="([^"]*)"/g)]
  const areas = [...form.matchAll(/<textarea [^>]*name="([^"]+)"[^>]*>([^<]*)<\/textarea>/g)]
  const choices = [
    ...form.matchAll(/<select [^>]*name="([^"]+)"(?:(?!<\/select>)[^])*?<option value="([^"]*)" selected/g),
  ]
  const kind = /name="kind" value="([^"]+)"/.exec(form)?.[1] ?? ''
  const found = [...inputs, ...areas, ...choices].map(([, name = '', value = '']) => [name, text(value)] as const)
  return Object.fromEntries([['kind', kind], ...found])
}

function problemsIn(html: string): string {
  return [...html.matchAll(/invalid-feedback[^>]*>([^<]*)/g)].map(([, text]) => text).join('; ')
}
