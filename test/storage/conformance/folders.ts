import { expect } from 'chai'
import type { Entry } from '../../../src/storage/driver.js'
import { bytes, get, listed, names, put, type World } from './world.js'

function facts({ name, type, symlink, size, modified }: Entry) {
  return { name, type, symlink, size, modified }
}

/** Metadata: listing, stat, making, removing, renaming. */
export function describeFolders(world: () => World): void {
  describe('the connection', () => {
    it('says where the login landed, as an absolute path that can be listed', async () => {
      const c = await world().connection()
      expect(c.home).to.match(/^\//)
      if (c.home !== '/') expect(c.home).to.not.match(/\/$|\/\/|\/\.\.?(\/|$)/)
      await c.list(c.home)
    })

    it('knows the root', async () => {
      const c = await world().connection()
      expect(await c.stat('/')).to.include({ name: '', type: 'directory', size: 0 })
      await c.list('/')
    })

    it('says LOGIN_REJECTED for a wrong password', async function () {
      const { connectRejected } = world().setup
      if (!connectRejected) return this.skip()
      await world().fails(connectRejected(), 'LOGIN_REJECTED')
    })

    it('is closed after close, tells so, and refuses to work', async () => {
      const c = await world().setup.connect()
      expect(c.open).to.equal(true)
      c.close()
      c.close()
      expect(c.open).to.equal(false)
      const attempt = c.stat('/')
      await world().fails(attempt, 'CONNECTION_LOST')
    })

    it('rejects what is pending when it is closed', async () => {
      const c = await world().setup.connect()
      const attempt = c.list(c.home)
      c.close()
      await world().fails(attempt, 'CONNECTION_LOST', 'ABORTED')
    })
  })

  describe('list and stat', () => {
    it('list an empty folder as empty', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      expect((await c.list(folder)).entries).to.deep.equal([])
      expect(await c.stat(folder)).to.include({ type: 'directory', size: 0, symlink: false })
    })

    it('list files, folders and hidden names, without . and ..', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await put(c, `${folder}/a.txt`, '12345')
      await put(c, `${folder}/.hidden`, '')
      await c.makeDirectory(`${folder}/sub`)
      expect(await names(c, folder)).to.deep.equal(['.hidden', 'a.txt', 'sub'])
      expect(await listed(c, folder, 'a.txt')).to.include({ type: 'file', size: 5, symlink: false })
      expect(await listed(c, folder, '.hidden')).to.include({ type: 'file', size: 0 })
      expect(await listed(c, folder, 'sub')).to.include({ type: 'directory', size: 0, symlink: false })
    })

    it('agree about a file to the millisecond of its time', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await put(c, `${folder}/new`, 'x')
      expect(facts(await c.stat(`${folder}/new`))).to.deep.equal(facts(await listed(c, folder, 'new')))
    })

    it('agree about a folder, where both tell its time', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await c.makeDirectory(`${folder}/sub`)
      const fromStat = await c.stat(`${folder}/sub`)
      const fromList = await listed(c, folder, 'sub')
      expect(fromStat).to.include({ name: 'sub', type: 'directory', size: 0 })
      if (fromStat.modified !== undefined && fromList.modified !== undefined) {
        expect(fromStat.modified).to.equal(fromList.modified)
      }
    })

    for (const [what, modified] of [
      ['an hour ago', () => Date.now() - 3_600_000],
      ['last month', () => Date.now() - 31 * 86_400_000],
      ['two years ago', () => Date.now() - 730 * 86_400_000],
      ['in 2001', () => Date.UTC(2001, 1, 3, 4, 5, 6)],
    ] as const) {
      it(`agree about a file changed ${what}`, async function () {
        const c = await world().connection()
        const { plantTime } = world().setup
        if (!c.setModified && !plantTime) return this.skip()
        const folder = await world().folder()
        const path = `${folder}/old`
        await put(c, path, 'x')
        const time = Math.floor(modified() / 1000) * 1000
        if (plantTime) await plantTime(path, time)
        else await c.setModified?.(path, time)
        const entry = await c.stat(path)
        expect(facts(entry)).to.deep.equal(facts(await listed(c, folder, 'old')))
        expect(entry.modified).to.be.within(time - 86_400_000, time)
      })
    }

    it('say NOT_FOUND for what is not there', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await world().fails(c.stat(`${folder}/missing`), 'NOT_FOUND')
      await world().fails((await world().connection()).list(`${folder}/missing`), 'NOT_FOUND')
      await world().fails((await world().connection()).stat(`${folder}/missing/deeper`), 'NOT_FOUND')
      await world().fails((await world().connection()).list(`${folder}/missing/deeper`), 'NOT_FOUND')
    })

    it('say NOT_A_DIRECTORY for the listing of a file', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await put(c, `${folder}/file`, 'x')
      await world().fails(c.list(`${folder}/file`), 'NOT_A_DIRECTORY')
      await world().fails((await world().connection()).stat(`${folder}/file/below`), 'NOT_FOUND', 'NOT_A_DIRECTORY')
    })

    it('say DENIED for a folder that may not be entered, never an empty listing', async function () {
      const { forbiddenFolder } = world().setup
      if (forbiddenFolder === undefined) return this.skip()
      await world().fails((await world().connection()).list(forbiddenFolder), 'DENIED')
      await world().fails((await world().connection()).stat(`${forbiddenFolder}/inside`), 'DENIED')
    })

    it('say DENIED for a folder that may be entered and not listed', async function () {
      const { unlistableFolder } = world().setup
      if (unlistableFolder === undefined) return this.skip()
      await world().fails((await world().connection()).list(unlistableFolder), 'DENIED')
    })

    it('list a folder of 1,000 entries whole', async function () {
      this.timeout(60_000)
      const c = await world().connection()
      const folder = await world().folder()
      const expected: string[] = []
      for (let i = 0; i < 1000; i++) {
        const name = `entry-${String(i).padStart(4, '0')}`
        expected.push(name)
        if (i % 100 === 0) await put(c, `${folder}/${name}`, 'x'.repeat(i))
        else await c.makeDirectory(`${folder}/${name}`)
      }
      expect(await names(c, folder)).to.deep.equal(expected)
      expect(await listed(c, folder, 'entry-0900')).to.include({ type: 'file', size: 900 })
    })
  })

  describe('makeDirectory', () => {
    it('makes one folder, and says ALREADY_EXISTS for a name that is taken', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await c.makeDirectory(`${folder}/sub`)
      await put(c, `${folder}/file`, 'x')
      await world().fails(c.makeDirectory(`${folder}/sub`), 'ALREADY_EXISTS')
      await world().fails((await world().connection()).makeDirectory(`${folder}/file`), 'ALREADY_EXISTS')
    })

    it('says NOT_FOUND where the parent is missing', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await world().fails(c.makeDirectory(`${folder}/no/sub`), 'NOT_FOUND')
      expect(await names(await world().connection(), folder)).to.deep.equal([])
    })

    it('says DENIED where nothing may be written', async function () {
      const { readOnlyFolder } = world().setup
      if (readOnlyFolder === undefined) return this.skip()
      await world().fails((await world().connection()).makeDirectory(`${readOnlyFolder}/sub`), 'DENIED')
    })
  })

  describe('removeFile and removeDirectory', () => {
    it('remove what is there', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await put(c, `${folder}/file`, 'x')
      await c.makeDirectory(`${folder}/sub`)
      await c.removeFile(`${folder}/file`)
      await c.removeDirectory(`${folder}/sub`)
      expect(await names(c, folder)).to.deep.equal([])
    })

    it('say NOT_FOUND for what is not there', async () => {
      const folder = await world().folder()
      await world().fails((await world().connection()).removeFile(`${folder}/missing`), 'NOT_FOUND')
      await world().fails((await world().connection()).removeDirectory(`${folder}/missing`), 'NOT_FOUND')
    })

    it('keep to their kind: IS_A_DIRECTORY, NOT_A_DIRECTORY', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await put(c, `${folder}/file`, 'x')
      await c.makeDirectory(`${folder}/sub`)
      await world().fails(c.removeFile(`${folder}/sub`), 'IS_A_DIRECTORY')
      await world().fails((await world().connection()).removeDirectory(`${folder}/file`), 'NOT_A_DIRECTORY')
      expect(await names(await world().connection(), folder)).to.deep.equal(['file', 'sub'])
    })

    it('say NOT_EMPTY and remove nothing', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await c.makeDirectory(`${folder}/full`)
      await put(c, `${folder}/full/.hidden`, 'x')
      await world().fails(c.removeDirectory(`${folder}/full`), 'NOT_EMPTY')
      expect(await get(await world().connection(), `${folder}/full/.hidden`)).to.equal('x')
    })

    it('say DENIED where nothing may be removed', async function () {
      const { readOnlyFolder } = world().setup
      if (readOnlyFolder === undefined) return this.skip()
      const entry = (await (await world().connection()).list(readOnlyFolder)).entries.find(
        ({ type }) => type === 'file',
      )
      if (!entry) return this.skip()
      await world().fails((await world().connection()).removeFile(`${readOnlyFolder}/${entry.name}`), 'DENIED')
    })
  })

  describe('rename', () => {
    it('moves a file to a new name and to another folder', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await c.makeDirectory(`${folder}/sub`)
      await put(c, `${folder}/a`, 'content')
      await c.rename(`${folder}/a`, `${folder}/b`)
      await c.rename(`${folder}/b`, `${folder}/sub/c`)
      expect(await names(c, folder)).to.deep.equal(['sub'])
      expect(await get(c, `${folder}/sub/c`)).to.equal('content')
    })

    it('moves a folder with what is in it', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await c.makeDirectory(`${folder}/from`)
      await put(c, `${folder}/from/file`, 'content')
      await c.rename(`${folder}/from`, `${folder}/to`)
      expect(await names(c, folder)).to.deep.equal(['to'])
      expect(await get(c, `${folder}/to/file`)).to.equal('content')
    })

    it('replaces an existing file in one step, or refuses and touches neither', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await put(c, `${folder}/new`, 'new')
      await put(c, `${folder}/old`, 'old')
      let replaced = true
      const attempt = c.rename(`${folder}/new`, `${folder}/old`).catch((error: unknown) => {
        replaced = false
        throw error
      })
      await attempt.catch(() => world().fails(attempt, 'ALREADY_EXISTS'))
      const after = await world().connection()
      if (c.traits.renameReplaces !== undefined) expect(c.traits.renameReplaces).to.equal(replaced)
      expect(await names(after, folder)).to.deep.equal(replaced ? ['old'] : ['new', 'old'])
      expect(await get(after, `${folder}/old`)).to.equal(replaced ? 'new' : 'old')
    })

    it('does not replace a folder by a file', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await put(c, `${folder}/file`, 'content')
      await c.makeDirectory(`${folder}/sub`)
      await world().fails(c.rename(`${folder}/file`, `${folder}/sub`), 'ALREADY_EXISTS')
      const after = await world().connection()
      expect(await names(after, folder)).to.deep.equal(['file', 'sub'])
      expect(await get(after, `${folder}/file`)).to.equal('content')
    })

    it('says NOT_FOUND for a missing source and for a missing target folder', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await world().fails(c.rename(`${folder}/missing`, `${folder}/x`), 'NOT_FOUND')
      await put(await world().connection(), `${folder}/file`, 'content')
      await world().fails((await world().connection()).rename(`${folder}/file`, `${folder}/no/file`), 'NOT_FOUND')
      expect(await get(await world().connection(), `${folder}/file`)).to.equal('content')
    })
  })

  describe('symbolic links', () => {
    it('to a file: typed as the file, marked as a link, removed alone', async function () {
      const { plantLink, showsLinks } = world().setup
      if (!plantLink) return this.skip()
      const c = await world().connection()
      const folder = await world().folder()
      await put(c, `${folder}/target`, 'content')
      await plantLink('target', `${folder}/link`)
      const entry = await listed(c, folder, 'link')
      expect(entry.type).to.equal('file')
      expect(entry.symlink).to.equal(showsLinks !== false)
      expect((await c.stat(`${folder}/link`)).type).to.equal('file')
      expect(await get(c, `${folder}/link`)).to.equal('content')
      await c.removeFile(`${folder}/link`)
      expect(await get(c, `${folder}/target`)).to.equal('content')
    })

    it('to a folder, even to its own: typed as a folder, marked as a link, removed alone', async function () {
      const { plantLink, showsLinks } = world().setup
      if (!plantLink) return this.skip()
      const c = await world().connection()
      const folder = await world().folder()
      await c.makeDirectory(`${folder}/sub`)
      await put(c, `${folder}/sub/file`, 'content')
      await plantLink('.', `${folder}/sub/loop`)
      const entry = await listed(c, `${folder}/sub`, 'loop')
      expect(entry).to.include({ type: 'directory', size: 0 })
      expect(entry.symlink).to.equal(showsLinks !== false)
      expect((await c.stat(`${folder}/sub/loop`)).type).to.equal('directory')
      expect(await names(c, `${folder}/sub/loop`)).to.deep.equal(['file', 'loop'])
      await c.removeFile(`${folder}/sub/loop`)
      expect(await names(c, `${folder}/sub`)).to.deep.equal(['file'])
    })

    it('that lead nowhere: of type other where they are shown, and removable', async function () {
      const { plantLink } = world().setup
      if (!plantLink) return this.skip()
      const c = await world().connection()
      const folder = await world().folder()
      await put(c, `${folder}/file`, 'x')
      await plantLink('nowhere', `${folder}/dangling`)
      await plantLink('self', `${folder}/self`)
      const { entries } = await c.list(folder)
      expect(entries.map(({ name }) => name)).to.include('file')
      for (const entry of entries.filter(({ name }) => name !== 'file')) {
        expect(entry).to.include({ type: 'other', symlink: true })
      }
      await world().fails(
        c.read(`${folder}/dangling`, undefined, () => undefined),
        'NOT_FOUND',
        'DENIED',
      )
      const after = await world().connection()
      await after.removeFile(`${folder}/dangling`)
      await after.removeFile(`${folder}/self`)
      expect(await names(after, folder)).to.deep.equal(['file'])
    })
  })

  describe('where the server can', () => {
    it('setModified sets the time that stat and list show', async function () {
      const c = await world().connection()
      if (!c.setModified) return this.skip()
      const folder = await world().folder()
      await put(c, `${folder}/file`, 'x')
      const time = Date.UTC(2015, 5, 14, 12, 30, 45)
      await c.setModified(`${folder}/file`, time)
      const { modified } = await c.stat(`${folder}/file`)
      expect(modified).to.be.within(time - 86_400_000, time)
      expect((await listed(c, folder, 'file')).modified).to.equal(modified)
      await world().fails(c.setModified(`${folder}/missing`, time), 'NOT_FOUND')
    })

    it('openFile looks as stat does, for a reading that follows or none', async function () {
      const c = await world().connection()
      if (!c.openFile) return this.skip()
      const folder = await world().folder()
      const path = `${folder}/file`
      await put(c, path, 'content')
      const left = await c.openFile(path, { likely: { start: 0, end: 6 } })
      left.close()
      left.close()
      const opened = await c.openFile(path)
      expect(facts(opened.entry)).to.deep.equal(facts(await c.stat(path)))
      let read = ''
      await c.read(path, { start: 3, end: 6 }, (chunk) => void (read += chunk.toString()), { opened })
      opened.close()
      expect(read).to.equal('tent')
      expect(await get(c, path)).to.equal('content')
      await world().fails(c.openFile(`${folder}/missing`), 'NOT_FOUND')
    })

    it('openFile serves a reading from elsewhere than was likely, and may be left with much to come', async function () {
      const c = await world().connection()
      if (!c.openFile) return this.skip()
      const folder = await world().folder()
      const path = `${folder}/file`
      const content = Buffer.alloc(8 * 1024 * 1024, 'much to come ')
      await put(c, path, content)
      for (const start of [0, 2 * 1024 * 1024 + 1, content.length, content.length + 1]) {
        const left = await c.openFile(path, { likely: { start } })
        expect(left.entry.size).to.equal(content.length)
        left.close()
        expect((await c.stat(path)).size).to.equal(content.length)
        await put(c, `${folder}/other`, 'whole')
        expect(await get(c, `${folder}/other`)).to.equal('whole')
        for (const from of [start, 1024 * 1024 + 7]) {
          const opened = await c.openFile(path, { likely: { start } })
          const parts: Buffer[] = []
          await c.read(path, { start: from }, (chunk) => void parts.push(Buffer.from(chunk)), { opened })
          expect(Buffer.concat(parts).equals(content.subarray(from)), `${start}, ${from}`).to.equal(true)
        }
      }
      const folders = await c.openFile(folder, { likely: { start: 0 } }).catch((error: unknown) => error)
      if (folders instanceof Error) await world().judge(folders, 'IS_A_DIRECTORY', 'DENIED')
      else expect(folders).to.have.nested.property('entry.type', 'directory')
    })

    it('setMode sets the permission bits', async function () {
      const c = await world().connection()
      if (!c.setMode) return this.skip()
      const folder = await world().folder()
      await put(c, `${folder}/file`, 'x')
      await c.setMode(`${folder}/file`, 0o640)
      const { mode } = await listed(c, folder, 'file')
      if (mode !== undefined) expect(mode.toString(8)).to.equal('640')
      await world().fails(c.setMode(`${folder}/missing`, 0o640), 'NOT_FOUND')
    })

    it('copyFile copies on the server', async function () {
      const c = await world().connection()
      if (!c.copyFile) return this.skip()
      const folder = await world().folder()
      const content = Buffer.alloc(700_001, 'copy')
      await put(c, `${folder}/from`, content)
      try {
        await c.copyFile(`${folder}/from`, `${folder}/to`)
      } catch (error) {
        await world().judge(error, 'UNSUPPORTED')
        return this.skip()
      }
      expect((await bytes(c, `${folder}/to`)).equals(content)).to.equal(true)
      await world().fails(c.copyFile(`${folder}/missing`, `${folder}/x`), 'NOT_FOUND')
    })

    it('freeSpace tells what can still be written', async function () {
      const c = await world().connection()
      if (!c.freeSpace) return this.skip()
      const { available } = await c.freeSpace(await world().folder())
      expect(available).to.be.a('number').and.at.least(0)
    })

    it('realPath resolves links', async function () {
      const c = await world().connection()
      const { plantLink } = world().setup
      if (!c.realPath) return this.skip()
      const folder = await world().folder()
      expect(await c.realPath(folder)).to.match(/^\/.*[^/]$/)
      await world().fails(c.realPath(`${folder}/missing/file`), 'NOT_FOUND')
      if (!plantLink) return
      const again = await world().connection()
      await again.makeDirectory(`${folder}/real`)
      await plantLink('real', `${folder}/link`)
      expect(await again.realPath?.(`${folder}/link`)).to.equal(await again.realPath?.(`${folder}/real`))
    })

    it('sync makes a stored file durable', async function () {
      const c = await world().connection()
      if (!c.sync) return this.skip()
      const folder = await world().folder()
      await put(c, `${folder}/file`, 'x')
      await c.sync(`${folder}/file`)
      expect(await get(c, `${folder}/file`)).to.equal('x')
    })
  })
}
