import { expect } from 'chai'
import { startFilesApp, type FilesApp } from './files-app.js'

const PAGE = { Accept: 'text/html' }

describe('the forms of a folder', () => {
  let app: FilesApp
  beforeEach(async () => {
    app = await startFilesApp()
    app.tree.add('/s1/docs/a.txt', 'A').add('/s1/docs/b.txt', 'B').add('/s1/docs/sub/c.txt', 'C').add('/s2/x', '')
  })
  afterEach(() => app.stop())

  const act = (what: string, fields: [string, string][], headers: Record<string, string> = {}) =>
    app.send('POST', `/files/s1/docs/?do=${what}`, { body: new URLSearchParams(fields), headers })

  it('make a folder', async () => {
    expect((await act('create-folder', [['folder', ' New one ']])).status).to.equal(201)
    expect(app.tree.folders.has('/s1/docs/New one')).to.equal(true)
    expect((await act('create-folder', [['folder', 'New one']])).status).to.equal(412)
  })

  it('refuse what cannot be a name', async () => {
    for (const name of ['', ' ', '.', '..', 'a/b', 'a\u0000', 'x'.repeat(300)]) {
      expect((await act('create-folder', [['folder', name]])).status, JSON.stringify(name)).to.equal(400)
    }
    for (const name of ['.', '..', 'a/b', 'a\u0000']) {
      const fields: [string, string][] = [
        ['name', name],
        ['confirmed', 'yes'],
      ]
      expect((await act('delete', fields)).status, JSON.stringify(name)).to.equal(400)
    }
    expect((await act('delete', [['confirmed', 'yes']])).status).to.equal(400)
    expect((await act('nothing', [])).status).to.equal(400)
  })

  it('rename, and never replace what has the name', async () => {
    expect(
      (
        await act('rename', [
          ['name', 'a.txt'],
          ['to', 'b.txt'],
        ])
      ).status,
    ).to.equal(412)
    expect(
      (
        await act('rename', [
          ['name', 'a.txt'],
          ['to', 'z.txt'],
        ])
      ).status,
    ).to.equal(200)
    expect(app.tree.files.get('/s1/docs/z.txt')?.toString()).to.equal('A')
  })

  it('ask before they delete, without a script', async () => {
    const html = await (await act('delete', [['name', 'a.txt']], PAGE)).text()
    expect(html).to.contain('Delete a.txt?').and.contain('name="confirmed"')
    expect(app.tree.files.has('/s1/docs/a.txt')).to.equal(true)
  })

  it('delete what was ticked and say what could not go', async () => {
    const response = await act('delete', [
      ['name', 'a.txt'],
      ['name', 'sub'],
      ['name', 'none'],
      ['confirmed', 'yes'],
    ])
    expect(await response.json()).to.deep.include({
      deleted: 2,
      problems: [{ name: 'none', message: 'There is no such file or folder.' }],
    })
    expect([...app.tree.files.keys()]).to.deep.equal(['/s1/docs/b.txt', '/s2/x'])
  })

  it('move within a server at once', async () => {
    expect(
      (
        await act('move', [
          ['name', 'a.txt'],
          ['to', '/s1/docs/sub'],
        ])
      ).status,
    ).to.equal(200)
    expect(app.tree.files.get('/s1/docs/sub/a.txt')?.toString()).to.equal('A')
    expect(app.jobs.list(1)).to.deep.equal([])
  })

  it('copy to another server as a job that goes on without the page', async () => {
    const response = await act('copy', [
      ['name', 'sub'],
      ['name', 'a.txt'],
      ['to', '/s2'],
    ])
    expect(response.status).to.equal(202)
    await app.jobs.settled()
    expect(app.tree.files.get('/s2/sub/c.txt')?.toString()).to.equal('C')
    const { jobs } = (await (await app.send('GET', '/jobs')).json()) as { jobs: object[] }
    expect(jobs[0]).to.include({
      title: 'Copying 2 items to /s2',
      state: 'done',
      bytes: 2,
      total: 2,
      message: 'All copied.',
    })
  })

  it('tell at once that the target is not there', async () => {
    expect(
      (
        await act('copy', [
          ['name', 'a.txt'],
          ['to', '/s2/none'],
        ])
      ).status,
    ).to.equal(404)
    expect(
      (
        await act('copy', [
          ['name', 'a.txt'],
          ['to', '/s2/x'],
        ])
      ).status,
    ).to.equal(409)
    expect(
      (
        await act('copy', [
          ['name', 'a.txt'],
          ['to', '/../x'],
        ])
      ).status,
    ).to.equal(400)
  })

  it('need the token', async () => {
    const body = new URLSearchParams({ name: 'a.txt', confirmed: 'yes' })
    expect((await app.send('POST', '/files/s1/docs/?do=delete', { body, token: false })).status).to.equal(403)
    expect(app.tree.files.has('/s1/docs/a.txt')).to.equal(true)
  })
})
