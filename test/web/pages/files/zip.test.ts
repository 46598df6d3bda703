import { expect } from 'chai'
import { once } from 'node:events'
import { get } from 'node:http'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { collectMembers } from '../../../../src/web/pages/files/zip-members.js'
import { fileNode, folderNode } from '../../../support/fake-tree.js'
import { rejectionOf, temporaryFolder } from '../../../support/services.js'
import { entriesOf } from '../../../support/zip-entries.js'
import { startFilesApp, type FilesApp } from './files-app.js'

describe('a ZIP', () => {
  let app: FilesApp
  beforeEach(async () => {
    app = await startFilesApp()
    app.tree.add('/s1/docs/a.txt', 'A'.repeat(200_000)).add('/s1/docs/ü/c.txt', 'C').add('/s1/docs/empty', '')
    app.tree.folders.add('/s1/docs/nothing')
  })
  afterEach(() => app.stop())

  it('holds a folder as it is, and says how long it is', async () => {
    const response = await app.send('GET', '/files/s1/docs/?zip')
    const zip = Buffer.from(await response.arrayBuffer())
    expect(response.headers.get('content-length')).to.equal(String(zip.length))
    expect(response.headers.get('content-disposition')).to.contain('docs.zip')
    const entries = entriesOf(zip)
    expect([...entries.keys()].sort()).to.deep.equal([
      'docs/',
      'docs/a.txt',
      'docs/empty',
      'docs/nothing/',
      'docs/ü/',
      'docs/ü/c.txt',
    ])
    expect(entries.get('docs/a.txt')?.equals(Buffer.from('A'.repeat(200_000)))).to.equal(true)
  })

  it('is whole to a program that unpacks it', async function () {
    const { folder, remove } = await temporaryFolder()
    try {
      const file = join(folder, 'x.zip')
      await writeFile(file, Buffer.from(await (await app.send('GET', '/files/s1/docs/?zip')).arrayBuffer()))
      const check = 'import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).testzip())'
      const { stdout } = await promisify(execFile)('python3', ['-c', check, file]).catch(
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') this.skip()
          throw error
        },
      )
      expect(stdout.trim()).to.equal('None')
    } finally {
      await remove()
    }
  })

  it('holds what was ticked', async () => {
    const body = new URLSearchParams([
      ['name', 'a.txt'],
      ['name', 'ü'],
    ])
    const response = await app.send('POST', '/files/s1/docs/?do=zip', { body })
    expect([...entriesOf(Buffer.from(await response.arrayBuffer())).keys()]).to.deep.equal(['a.txt', 'ü/', 'ü/c.txt'])
  })

  it('breaks off when a file cannot be read, so that nobody takes it for whole', async () => {
    app.tree.onRead = () => Promise.reject(new Error('gone'))
    const error = await rejectionOf(app.send('GET', '/files/s1/docs/?zip').then((response) => response.arrayBuffer()))
    expect(error.message).to.match(/terminated|aborted|closed/)
  })

  it('holds the newer version of a file that changed meanwhile and is as long, and breaks off when it is not', async () => {
    const download = async (replace: () => void) => {
      app.tree.onRead = async (_range, sink) => {
        // While the first file is read, the second one is replaced.
        app.tree.onRead = undefined
        replace()
        await sink(Buffer.from('C'))
      }
      return Buffer.from(await (await app.send('GET', '/files/s1/docs/?zip')).arrayBuffer())
    }
    const zip = await download(() => app.tree.add('/s1/docs/a.txt', 'B'.repeat(200_000)))
    expect(entriesOf(zip).get('docs/a.txt')?.toString()).to.equal('B'.repeat(200_000))
    const error = await rejectionOf(download(() => app.tree.add('/s1/docs/a.txt', 'longer'.repeat(50_000))))
    expect(error.message).to.match(/terminated|aborted|closed/)
  })

  it('stops reading when the client goes', async () => {
    let stopped: (() => void) | undefined
    const gone = new Promise<void>((resolve) => (stopped = resolve))
    app.tree.add('/s1/docs/a.txt', Buffer.alloc(64 * 1024 * 1024))
    app.tree.onRead = async (_range, sink, { signal }) => {
      signal.addEventListener('abort', () => stopped?.())
      for (;;) await sink(Buffer.alloc(64 * 1024))
    }
    const request = get(`${app.url}/files/s1/docs/?zip`)
    const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream]
    await once(response, 'readable')
    response.on('error', () => undefined)
    request.destroy()
    await gone
  })

  const call = { signal: new AbortController().signal }
  const bounds = { items: 3, bytes: 100 }

  it('leaves symbolic links out and makes names harmless', async () => {
    const nodes = [
      fileNode('/s1/link', 1, { symlink: true }),
      fileNode('/s1/a\\..\\b', 1),
      fileNode('/s1/a_.._b', 1),
      fileNode('/s1/C:x', 1),
    ]
    const members = await collectMembers(app.tree, nodes, bounds, call)
    expect(members.map(({ name }) => name)).to.deep.equal(['a_.._b', 'a_.._b (2)', 'C_x'])
  })

  it('is bounded', async () => {
    const many = ['a', 'b', 'c', 'd'].map((name) => fileNode(`/s1/${name}`, 1))
    expect(await rejectionOf(collectMembers(app.tree, many, bounds, call))).to.include({ code: 'ZIP_TOO_LARGE' })
    const large = [fileNode('/s1/a', 101)]
    expect(await rejectionOf(collectMembers(app.tree, large, bounds, call))).to.include({ code: 'ZIP_TOO_LARGE' })
    expect(await rejectionOf(collectMembers(app.tree, [folderNode('/s1/docs')], bounds, call))).to.include({
      status: 507,
    })
  })
})
