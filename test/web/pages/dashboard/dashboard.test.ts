import { expect } from 'chai'
import { StorageError } from '../../../../src/storage/errors.js'
import { BrowserSession } from '../../../support/browser-session.js'
import { FakeTree } from '../../../support/fake-tree.js'
import { actor } from '../../../support/services.js'
import { startWebApp, type TestWebApp } from '../../../support/web-app.js'
import type { Tree } from '../../../../src/vfs/tree.js'

describe('dashboard', () => {
  let app: TestWebApp
  let anna: number
  let free: () => Promise<{ available: number; used: undefined } | undefined>
  let rejected: boolean

  beforeEach(async () => {
    rejected = false
    free = () => Promise.resolve({ available: 5 * 1024 ** 3, used: undefined })
    app = await startWebApp(() => ({
      treeFor: ({ username }) => {
        const tree = new FakeTree(username) as FakeTree & Tree
        return Object.assign(tree, { freeSpace: () => free() })
      },
      health: {
        of: () => ({ state: 'down', since: new Date('2026-01-02T03:04:05Z') }),
        history: () => Promise.resolve([]),
      },
      usage: {
        of: (ids) => Promise.resolve(new Map(ids.map((id) => [id, rejected ? { loginRejectedAt: new Date() } : {}]))),
      },
    }))
    anna = await app.addUser('anna')
  })
  afterEach(() => app.close())

  async function permit(selfService = false): Promise<number> {
    const server = await app.servers.create({ alias: 'server2', protocol: 'ftp', host: 'ftp.example.org' }, actor)
    const { id } = await app.permissions.grant({ userId: anna, serverId: server.id, selfService }, actor)
    return id
  }
  const open = () => BrowserSession.loggedIn(app.url, 'anna')

  it('tells who has no server what to do', async () => {
    expect((await (await open()).get('/dashboard')).text).to.contain('An administrator has to give you')
  })

  it('shows a server that is down, since when, without asking it', async () => {
    free = () => Promise.reject(new Error('was asked'))
    await permit()
    const { text } = await (await open()).get('/dashboard')
    expect(text).to.contain('server2').and.contain('Down since').and.contain('2026-01-02 03:04')
    expect(text).to.contain('href="/files/server2/"')
  })

  it('says who can mend a rejected login', async () => {
    rejected = true
    await permit()
    const { text } = await (await open()).get('/dashboard')
    expect(text).to.contain('Login rejected').and.contain('An administrator can store the right one')
    expect(text).not.to.contain('name="remotePassword"')
  })

  it('lets a user enter the own remote password where the permission says so', async () => {
    rejected = true
    const id = await permit(true)
    const browser = await open()
    expect((await browser.get('/dashboard')).text).to.contain('Enter your password for it below.')
    const at = `/dashboard/permissions/${id}/password`
    const visit = await browser.submit(at, { remotePassword: 'geheim' }, { from: '/dashboard' })
    expect(visit.text).to.contain('is stored').and.not.contain('geheim')
    expect(await app.permissions.login(id)).to.include({ username: 'anna', password: 'geheim' })
  })

  it('keeps remote passwords that an administrator manages, and those of others', async () => {
    const id = await permit()
    const browser = await open()
    const at = `/dashboard/permissions/${id}/password`
    const refused = await browser.submit(at, { remotePassword: 'x' }, { from: '/dashboard' })
    expect(refused.text).to.contain('An administrator keeps the login of this server.')
    await app.addUser('bert')
    const bert = await BrowserSession.loggedIn(app.url, 'bert')
    expect((await bert.submit(at, { remotePassword: 'x' }, { from: '/dashboard' })).status).to.equal(404)
  })

  it('gives free space to the script of the page', async () => {
    await permit()
    const browser = await open()
    expect(JSON.parse((await browser.get('/dashboard/free-space/server2')).text)).to.deep.equal({ free: '5.0 GiB' })
    free = () => Promise.resolve(undefined)
    expect(JSON.parse((await browser.get('/dashboard/free-space/server2')).text)).to.deep.equal({ free: null })
  })

  it('tells the script of a server that refuses the login, without its words', async () => {
    free = () => Promise.reject(new StorageError('LOGIN_REJECTED', '530 secret of the server'))
    const { text } = await (await open()).get('/dashboard/free-space/server2')
    expect(text).to.contain('REMOTE_CREDENTIALS').and.not.contain('secret of the server')
  })
})
