import { expect } from 'chai'
import { StorageError } from '../../../src/storage/errors.js'
import { VfsError } from '../../../src/vfs/errors.js'
import { loggedIn } from '../../support/logged-in.js'
import { ApiFixture, USER } from './api-fixture.js'

describe('files over the API', () => {
  let api: ApiFixture

  beforeEach(async () => {
    api = await ApiFixture.start()
  })
  afterEach(() => api.stop())

  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    api.send(method, `/api/v1${path}`, { as: USER, headers, ...(body !== undefined && { body }) })
  const tree = () => api.treeOf('anna')

  it('lists a folder, page by page, in the order that was asked for', async () => {
    tree().add('/s2/c10.txt', 'x'.repeat(10)).add('/s2/c9.txt', 'xx')
    const list = async (query: string) => {
      const { json } = await send('GET', `/files${query}`)
      const { items, ...page } = json as { items: { name: string }[]; total: number }
      return { names: items.map(({ name }) => name), ...page }
    }
    expect(await list('?path=/s2&limit=2&offset=1')).to.deep.equal({
      names: ['c9.txt', 'c10.txt'],
      ...{ total: 4, limit: 2, offset: 1 },
    })
    expect((await list('?path=/s2&sort=-size')).names[0]).to.equal('c10.txt')
    expect((await list('')).names).to.deep.equal(['s2'])
    expect((await send('GET', '/files?path=/s2/a.txt')).status).to.equal(409)
    expect((await send('GET', '/files?path=/s2/none')).status).to.equal(404)
  })

  it('tells what stands at a path, with its tag and where its bytes are', async () => {
    tree().add('/s2/ä b.txt', 'content')
    const reply = await send('GET', `/files/entry?path=${encodeURIComponent('/s2/ä b.txt')}`)
    expect(reply.json).to.deep.equal({
      ...{ path: '/s2/ä b.txt', name: 'ä b.txt', type: 'file', size: 7, etag: '"7-1"', symlink: false },
      ...{ modified: '2026-01-02T03:04:05.678Z', href: '/ftp/anna/s2/%C3%A4%20b.txt' },
    })
    expect(reply.headers.get('etag')).to.equal('"7-1"')
    expect((await send('GET', '/files/entry?path=/s2/a.txt', undefined, { 'If-None-Match': '"7-1"' })).status).to.equal(
      304,
    )
    expect((await send('GET', '/files/entry?path=/s2')).json).to.include({
      size: null,
      etag: null,
      href: '/ftp/anna/s2/',
    })
  })

  it('makes a folder, once', async () => {
    const made = await send('POST', '/files/folders', { path: '/s2/new one' })
    expect(made.status).to.equal(201)
    expect(made.headers.get('location')).to.equal('/api/v1/files/entry?path=%2Fs2%2Fnew%20one')
    expect(tree().folders.has('/s2/new one')).to.equal(true)
    expect((await send('POST', '/files/folders', { path: '/s2/new one' })).status).to.equal(412)
    expect((await send('POST', '/files/folders', { path: '/s2/no/parent' })).status).to.equal(409)
  })

  it('deletes what it was asked for, and only in the version that was seen', async () => {
    const remove = (headers = {}) => send('DELETE', '/files/entry?path=/s2/a.txt', undefined, headers)
    expect((await remove({ 'If-Match': '"other"' })).status).to.equal(412)
    expect(tree().files.has('/s2/a.txt')).to.equal(true)
    expect((await remove({ 'If-Match': '"7-1"' })).status).to.equal(204)
    expect((await remove()).status).to.equal(404)
    expect((await send('DELETE', '/files/entry')).status).to.equal(400)
  })

  it('says which part of a folder stayed', async () => {
    tree().remove = () => Promise.resolve([{ path: '/s2/docs/x', error: new VfsError('LOCKED', 'It is locked.') }])
    expect((await send('DELETE', '/files/entry?path=/s2/docs')).json).to.include({ status: 423, code: 'LOCKED' })
  })

  it('renames within a server at once, and replaces only when told', async () => {
    const move = (fields: object) => send('POST', '/files/move', { from: '/s2/a.txt', to: '/s2/docs/b.txt', ...fields })
    expect((await move({})).status).to.equal(412)
    const moved = await move({ overwrite: true })
    expect(moved.json).to.include({ path: '/s2/docs/b.txt', size: 7 })
    expect([...tree().files.keys()]).to.deep.equal(['/s2/docs/b.txt'])
    expect((await move({})).status).to.equal(404)
  })

  it('copies, and moves to another server, as jobs that can be asked for', async () => {
    tree().folders.add('/s3')
    const copying = await send('POST', '/files/copy', { from: '/s2/docs', to: '/s2/copy' })
    expect(copying.status).to.equal(202)
    const moving = await send('POST', '/files/move', { from: '/s2/a.txt', to: '/s3/a.txt' })
    expect(moving.status).to.equal(202)
    await api.jobs.settled()
    for (const { headers } of [copying, moving]) {
      const job = await send('GET', headers.get('location')?.replace('/api/v1', '') ?? '')
      expect(job.json).to.include({ state: 'done' })
    }
    expect([...tree().files.keys()].sort()).to.deep.equal(['/s2/copy/b.txt', '/s2/docs/b.txt', '/s3/a.txt'])
  })

  it('tells at once what a job could not do', async () => {
    const copy = (from: string, to: string) => send('POST', '/files/copy', { from, to })
    expect((await copy('/s2/none', '/s2/x')).status).to.equal(404)
    expect((await copy('/s2/a.txt', '/s2/none/x')).status).to.equal(404)
    expect((await copy('/s2/docs', '/s2/a.txt/x')).status).to.equal(409)
    expect(api.jobs.list(api.userId)).to.deep.equal([])
  })

  it('takes no path that climbs, is none, or is a whole server', async () => {
    for (const path of ['/s2/..', '/..', '/s2/a\u0000', `/s2/${'x'.repeat(300)}`, '/', '/s2', '']) {
      const text = JSON.stringify(path)
      expect((await send('POST', '/files/folders', { path })).status, text).to.equal(400)
      expect((await send('POST', '/files/copy', { from: '/s2/a.txt', to: path })).status, text).to.equal(400)
      expect((await send('POST', '/files/move', { from: path, to: '/s2/z' })).status, text).to.equal(400)
      expect((await send('DELETE', `/files/entry?path=${encodeURIComponent(path)}`)).status, text).to.equal(400)
    }
    expect((await send('GET', `/files?path=${encodeURIComponent('/s2/../x')}`)).status).to.equal(400)
  })

  it('says that a server is down, never that its folder is empty', async () => {
    tree().failure = new StorageError('UNREACHABLE', 'ftp.internal:21 refused')
    const { json, text } = await send('GET', '/files?path=/s2')
    expect(json).to.include({ status: 502, code: 'UNREACHABLE' })
    expect(text).not.to.include('internal')
  })

  it('hands the tree the login that was used', async () => {
    const asked: unknown[] = []
    api.tokens.set('limited', loggedIn({ userId: api.userId, username: 'anna', via: 'api-token', servers: [1] }))
    api.onTree = (user, client) => asked.push([user.servers, client.via, client.requestId !== ''])
    await api.send('GET', '/api/v1/files', { as: 'nobody', headers: { Authorization: 'Bearer limited' } })
    expect(asked).to.deep.equal([[[1], 'api-token', true]])
  })
})
