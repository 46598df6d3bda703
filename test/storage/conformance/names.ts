import { expect } from 'chai'
import { bytes, chunks, get, listed, names, put, type World } from './world.js'

const NAMES = [
  `#?%&+;=@'"<>[]*`,
  '-la',
  '-rf',
  ' leading',
  'trailing ',
  '  both  ',
  'two  spaces',
  'd[1]',
  'st*r',
  'qu?stion',
  '{a,b}',
  '~',
  '~root',
  '$HOME',
  '`id`',
  'q"t',
  '"quoted"',
  `it's`,
  'back\\slash',
  'ends with \\',
  'arrow -> there',
  '.hidden',
  '...',
  'type=dir; x',
  '%0d%0aDELE x',
  '\u{1f389} party',
  'NFC caf\u00e9',
  'NFD cafe\u0301',
  '\u65e5\u672c\u8a9e',
  'next\u0085line',
  'line\u2028and paragraph\u2029',
  '\ufeffmark',
  'x'.repeat(200),
  '\u00fc'.repeat(100),
]

/** Names mean exactly the bytes they spell. */
export function describeNames(world: () => World): void {
  describe('names', () => {
    for (const name of NAMES) {
      it(`a file and a folder can be called ${JSON.stringify(name.length > 40 ? `${name.slice(0, 3)}… (${Buffer.byteLength(name)} bytes)` : name)}`, async function () {
        const { canHold } = world().setup
        if (canHold?.(name) === false) return this.skip()
        const c = await world().connection()
        const folder = await world().folder()
        // What a glob, an option or a trimmed name would hit instead.
        await put(c, `${folder}/d1`, 'decoy')
        await put(c, `${folder}/star`, 'decoy')
        const file = `${folder}/${name}`
        await put(c, file, 'content')
        expect(await names(c, folder)).to.deep.equal([name, 'd1', 'star'].sort())
        expect(await listed(c, folder, name)).to.include({ type: 'file', size: 7, symlink: false })
        expect(await c.stat(file)).to.include({ name, type: 'file', size: 7 })
        expect(await get(c, file)).to.equal('content')
        await c.rename(file, `${folder}/plain`)
        await c.rename(`${folder}/plain`, file)
        await c.removeFile(file)
        expect(await names(c, folder)).to.deep.equal(['d1', 'star'])

        await c.makeDirectory(file)
        expect(await c.stat(file)).to.include({ name, type: 'directory' })
        expect(await names(c, file)).to.deep.equal([])
        await put(c, `${file}/${name}`, 'inside')
        expect(await names(c, file)).to.deep.equal([name])
        expect(await get(c, `${file}/${name}`)).to.equal('inside')
        await c.removeFile(`${file}/${name}`)
        await c.removeDirectory(file)
        expect(await names(c, folder)).to.deep.equal(['d1', 'star'])
      })
    }

    it('of two normal forms are two files', async function () {
      const both = ['cafe\u0301', 'caf\u00e9']
      const { canHold } = world().setup
      if (both.some((name) => canHold?.(name) === false)) return this.skip()
      const c = await world().connection()
      const folder = await world().folder()
      for (const name of both) await put(c, `${folder}/${name}`, name)
      expect(await names(c, folder)).to.deep.equal(both)
      for (const name of both) expect(await get(c, `${folder}/${name}`)).to.equal(name)
    })

    it('with a glob do not match other names', async () => {
      const folder = await world().folder()
      await put(await world().connection(), `${folder}/star`, 'x')
      await world().fails((await world().connection()).stat(`${folder}/st*r`), 'NOT_FOUND')
      await world().fails((await world().connection()).list(`${folder}/st*r`), 'NOT_FOUND')
      await world().fails((await world().connection()).removeFile(`${folder}/st*r`), 'NOT_FOUND')
      expect(await names(await world().connection(), folder)).to.deep.equal(['star'])
    })

    for (const [what, evil] of [
      ['CR LF', 'x\r\nDELE precious'],
      ['LF', 'x\nDELE precious'],
      ['CR', 'x\rDELE precious'],
      ['NUL', 'x\0'],
    ] as const) {
      it(`with ${what} are refused before anything is sent`, async () => {
        const folder = await world().folder()
        await put(await world().connection(), `${folder}/precious`, 'content')
        const path = `${folder}/${evil}`
        const c = await world().connection()
        const attempts: (() => Promise<unknown> | undefined)[] = [
          () => c.stat(path),
          () => c.list(path),
          () => c.read(path, undefined, () => undefined),
          () => c.write(path, chunks('x')),
          () => c.makeDirectory(path),
          () => c.removeFile(path),
          () => c.removeDirectory(path),
          () => c.rename(path, `${folder}/to`),
          () => c.rename(`${folder}/precious`, path),
          () => c.setModified?.(path, 0),
          () => c.setMode?.(path, 0o600),
          () => c.copyFile?.(path, `${folder}/to`),
          () => c.copyFile?.(`${folder}/precious`, path),
          () => c.realPath?.(path),
        ]
        for (const attempt of attempts) {
          const pending = attempt()
          if (!pending) continue
          const error = await world().fails(pending, 'INVALID_NAME')
          expect(error.inStep).to.equal(true)
        }
        expect(await names(c, folder)).to.deep.equal(['precious'])
        expect((await bytes(c, `${folder}/precious`)).toString()).to.equal('content')
      })
    }
  })
}
