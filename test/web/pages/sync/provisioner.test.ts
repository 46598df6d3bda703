import { expect } from 'chai'
import { startSyncApp, type SyncApp } from './sync-app.js'

const FORM = { kind: 'system', settings: '', secretKind: 'password', checkEvery: '', rotateEvery: '' }

describe('page of how accounts of a server are kept', () => {
  let app: SyncApp

  beforeEach(async () => (app = await startSyncApp()))
  afterEach(() => app.close())

  const path = () => `/servers/${app.alpha}/provisioner`
  const shown = async () => (await app.browser.get(path())).text
  const save = (fields: Record<string, string>) =>
    app.browser.submit(path(), { ...FORM, ...fields }, { from: path(), redirect: 'manual' })
  const known = () => app.sync.provisioners.find(app.alpha)

  it('saves what was chosen, and shows it again without the secrets', async () => {
    const saved = await save({
      ...{ kind: 'pure-ftpd', settings: '{ "homeBase": "/srv/homes" }', secretKind: 'password' },
      ...{ automatic: 'on', checkEvery: '15', rotateEvery: '90', password: 'the admin’s own' },
    })
    expect([saved.status, saved.headers.get('location')]).to.deep.equal([303, '/sync'])
    expect(await known()).to.deep.include({ automatic: true, checkEvery: 15, rotateEvery: 90, hasSecrets: true })
    expect((await known())?.settings).to.include({ kind: 'pure-ftpd', homeBase: '/srv/homes' })
    expect(await shown())
      .to.include('/srv/homes')
      .and.include('Something is stored')
      .and.not.include('own')
  })

  it('keeps stored secrets where none is written, and forgets them when it is told to', async () => {
    await save({ password: 'the secret' })
    await save({})
    expect(await app.sync.provisioners.secrets(app.alpha)).to.deep.equal({ password: 'the secret' })
    await save({ forget: 'on' })
    expect(await known()).to.include({ hasSecrets: false })
  })

  for (const [what, fields, words] of [
    ['settings that are not JSON', { settings: 'homeBase = /home' }, 'must be a JSON object'],
    ['a setting that the kind does not have', { settings: '{ "nonsense": 1 }' }, 'nonsense'],
    ['a home that is no path', { settings: '{ "homeBase": "home" }' }, 'homeBase'],
    ['a number that is none', { checkEvery: 'often' }, 'Not saved'],
  ] as const) {
    it(`refuses ${what}, and keeps what was written`, async () => {
      const before = await known()
      const { status, text } = await save(fields)
      expect(status).to.equal(422)
      expect(text).to.include(words)
      const [written] = Object.values(fields)
      expect(text).to.include(String(written).replaceAll('"', '&#34;'))
      expect(await known()).to.deep.equal(before)
    })
  }

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
