import { expect } from 'chai'
import { setImmediate as turn } from 'node:timers/promises'
import { bytes, chunks, get, names, pattern, put, type World } from './world.js'

const ODD = 1024 * 1024 + 13

/** Reading and writing, and what is left when one of the three parties stops. */
export function describeTransfers(world: () => World): void {
  describe('read', () => {
    it('gives the bytes that were written: none, one, 1 MiB and a few', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      for (const size of [0, 1, ODD]) {
        const content = pattern(size)
        expect(await put(c, `${folder}/f${size}`, content)).to.equal(size)
        expect((await bytes(c, `${folder}/f${size}`)).equals(content), `${size} bytes`).to.equal(true)
        expect(await c.stat(`${folder}/f${size}`)).to.include({ size })
      }
    })

    it('gives exactly the range that is asked for', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      const content = pattern(100_000)
      await put(c, `${folder}/file`, content)
      for (const [start, end] of [
        [0, 0],
        [0, 9],
        [0, 99_999],
        [0, undefined],
        [500, undefined],
        [500, 1499],
        [99_990, undefined],
        [99_999, 99_999],
        [99_000, 5_000_000],
        [100_000, undefined],
        [100_000, 100_010],
        [7_000_000, undefined],
      ] as const) {
        const got = await bytes(await world().connection(), `${folder}/file`, start, end)
        const expected = content.subarray(start, end === undefined ? undefined : end + 1)
        expect(got.equals(expected), `${start}-${end ?? ''}: ${got.length} bytes`).to.equal(true)
      }
      await world().connection()
      await world().proveInStep()
    })

    it('stops at the end of a small range of a large file, and the next operation works', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      const content = pattern(12 * 1024 * 1024)
      await put(c, `${folder}/large`, content)
      for (const start of [0, 5_000_000, content.length - 10]) {
        const got = await bytes(await world().connection(), `${folder}/large`, start, start + 9)
        expect(got.equals(content.subarray(start, start + 10)), `from ${start}`).to.equal(true)
        await world().connection()
        await world().proveInStep()
      }
    })

    it('waits for a slow sink, gives it one chunk at a time, and leaves the chunk alone meanwhile', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      const content = pattern(3 * 1024 * 1024)
      await put(c, `${folder}/file`, content)
      const parts: Buffer[] = []
      let busy = false
      await c.read(`${folder}/file`, undefined, async (chunk) => {
        expect(busy, 'called while the last chunk was held').to.equal(false)
        busy = true
        for (let i = 0; i < 5; i++) await turn()
        parts.push(Buffer.from(chunk))
        busy = false
      })
      expect(Buffer.concat(parts).equals(content)).to.equal(true)
    })

    it('says NOT_FOUND and IS_A_DIRECTORY', async () => {
      const folder = await world().folder()
      await (await world().connection()).makeDirectory(`${folder}/sub`)
      const sink = () => expect.fail('no bytes were due')
      await world().fails((await world().connection()).read(`${folder}/no`, undefined, sink), 'NOT_FOUND')
      await world().fails((await world().connection()).read(`${folder}/no/no`, undefined, sink), 'NOT_FOUND')
      await world().fails((await world().connection()).read(`${folder}/sub`, undefined, sink), 'IS_A_DIRECTORY')
      await world().fails((await world().connection()).read(`${folder}/sub`, { start: 5 }, sink), 'IS_A_DIRECTORY')
    })

    it('says DENIED for a file that may not be read', async function () {
      const { forbiddenFile } = world().setup
      if (forbiddenFile === undefined) return this.skip()
      await world().fails(
        (await world().connection()).read(forbiddenFile, undefined, () => undefined),
        'DENIED',
      )
    })

    for (const when of ['at once', 'later']) {
      it(`ends with what the sink throws ${when}, and tells truthfully whether the connection is usable`, async () => {
        const c = await world().connection()
        const folder = await world().folder()
        await put(c, `${folder}/file`, pattern(4 * 1024 * 1024))
        const broken = new Error('the sink broke')
        let calls = 0
        const attempt = c.read(`${folder}/file`, undefined, async () => {
          calls++
          if (when === 'later') await turn()
          throw broken
        })
        await world().failsWith(attempt, broken)
        expect(calls).to.equal(1)
        expect((await bytes(await world().connection(), `${folder}/file`)).length).to.equal(4 * 1024 * 1024)
      })
    }

    it('ends with ABORTED when the signal fires, also while the sink holds a chunk for ever', async () => {
      const folder = await world().folder()
      await put(await world().connection(), `${folder}/file`, pattern(4 * 1024 * 1024))
      const stop = new AbortController()
      const c = await world().connection()
      const attempt = c.read(
        `${folder}/file`,
        undefined,
        () => {
          stop.abort()
          return new Promise(() => undefined)
        },
        { signal: stop.signal },
      )
      await world().fails(attempt, 'ABORTED')
      await world().connection()
      await world().proveInStep()
    })
  })

  describe('write', () => {
    it('creates a file, replaces a longer one, and stores many small pieces', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      await put(c, `${folder}/file`, 'the first, longer content')
      await put(c, `${folder}/file`, 'second')
      expect(await get(c, `${folder}/file`)).to.equal('second')
      const pieces = Array.from({ length: 300 }, (_, i) => `piece ${i}\n`)
      expect(await c.write(`${folder}/pieces`, chunks(...pieces))).to.equal(pieces.join('').length)
      expect(await get(c, `${folder}/pieces`)).to.equal(pieces.join(''))
    })

    it('stores empty chunks as nothing', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      expect(await c.write(`${folder}/file`, chunks('', 'a', '', 'b', ''))).to.equal(2)
      expect(await get(c, `${folder}/file`)).to.equal('ab')
      expect(await c.write(`${folder}/none`, chunks())).to.equal(0)
      expect(await c.stat(`${folder}/none`)).to.include({ type: 'file', size: 0 })
    })

    it('takes a large chunk and a slow source', async () => {
      const c = await world().connection()
      const folder = await world().folder()
      const content = pattern(5 * 1024 * 1024 + 1)
      async function* slow() {
        for (let at = 0; at < content.length; at += 2_000_003) {
          for (let i = 0; i < 5; i++) await turn()
          yield content.subarray(at, at + 2_000_003)
        }
      }
      expect(await c.write(`${folder}/file`, slow(), { size: content.length })).to.equal(content.length)
      expect((await bytes(c, `${folder}/file`)).equals(content)).to.equal(true)
    })

    it('says NOT_FOUND for a missing folder, IS_A_DIRECTORY for a folder, and makes nothing', async () => {
      const folder = await world().folder()
      await (await world().connection()).makeDirectory(`${folder}/sub`)
      await world().fails(put(await world().connection(), `${folder}/no/file`, 'x'), 'NOT_FOUND')
      await world().fails(put(await world().connection(), `${folder}/sub`, 'x'), 'IS_A_DIRECTORY')
      expect(await names(await world().connection(), folder)).to.deep.equal(['sub'])
    })

    it('says so before a large source is sent whole', async () => {
      const folder = await world().folder()
      await world().fails(put(await world().connection(), `${folder}/no/file`, pattern(ODD)), 'NOT_FOUND')
    })

    it('says DENIED where nothing may be written', async function () {
      const { readOnlyFolder } = world().setup
      if (readOnlyFolder === undefined) return this.skip()
      await world().fails(put(await world().connection(), `${readOnlyFolder}/new`, 'x'), 'DENIED')
    })

    it('says NO_SPACE on a full disk', async function () {
      const { fullFolder } = world().setup
      if (fullFolder === undefined) return this.skip()
      const path = `${fullFolder}/too-large`
      await world().fails(put(await world().connection(), path, pattern(3 * ODD)), 'NO_SPACE')
      const c = await world().connection()
      if ((await names(c, fullFolder)).includes('too-large')) await c.removeFile(path)
      await put(c, path, 'small')
      await c.removeFile(path)
    })

    it('with exclusive refuses an existing file, where the server can tell in one step', async function () {
      const folder = await world().folder()
      await put(await world().connection(), `${folder}/file`, 'old')
      const c = await world().connection()
      try {
        await c.write(`${folder}/file`, chunks('new'), { exclusive: true })
      } catch (error) {
        await world().judge(error, 'ALREADY_EXISTS')
        expect(await get(await world().connection(), `${folder}/file`)).to.equal('old')
        return
      }
      expect(await get(c, `${folder}/file`)).to.equal('new')
      this.skip()
    })

    for (const size of [0, 10, 700_000]) {
      it(`ends with what the source throws after ${size} bytes, and tells truthfully whether the connection is usable`, async () => {
        const folder = await world().folder()
        const broken = new Error('the source broke')
        async function* half() {
          if (size > 0) yield pattern(size)
          await turn()
          throw broken
        }
        await world().failsWith((await world().connection()).write(`${folder}/file`, half()), broken)
        const c = await world().connection()
        if ((await names(c, folder)).includes('file')) await c.removeFile(`${folder}/file`)
        await put(c, `${folder}/file`, 'whole')
        expect(await get(c, `${folder}/file`)).to.equal('whole')
      })
    }

    it('ends with ABORTED when the signal fires while the source is silent', async () => {
      const folder = await world().folder()
      const stop = new AbortController()
      async function* silent() {
        yield pattern(100_000)
        stop.abort()
        await new Promise(() => undefined)
      }
      const c = await world().connection()
      await world().fails(c.write(`${folder}/file`, silent(), { signal: stop.signal }), 'ABORTED')
      await world().connection()
      await world().proveInStep()
    })
  })

  describe('a signal that has fired already', () => {
    it('stops every operation before it changes anything', async () => {
      const folder = await world().folder()
      await put(await world().connection(), `${folder}/file`, 'x')
      const options = { signal: AbortSignal.abort() }
      for (const attempt of [
        async () => (await world().connection()).stat(`${folder}/file`, options),
        async () => (await world().connection()).list(folder, options),
        async () => (await world().connection()).read(`${folder}/file`, undefined, () => undefined, options),
        async () => (await world().connection()).write(`${folder}/new`, chunks('x'), options),
        async () => (await world().connection()).makeDirectory(`${folder}/sub`, options),
        async () => (await world().connection()).removeFile(`${folder}/file`, options),
        async () => (await world().connection()).rename(`${folder}/file`, `${folder}/to`, options),
      ]) {
        await world().fails(attempt(), 'ABORTED')
      }
      expect(await names(await world().connection(), folder)).to.deep.equal(['file'])
    })

    it('stops a listing that is under way', async () => {
      const folder = await world().folder()
      const stop = new AbortController()
      const c = await world().connection()
      const attempt = c.list(folder, { signal: stop.signal })
      stop.abort()
      await world().fails(attempt, 'ABORTED')
      await world().connection()
      await world().proveInStep()
    })
  })
}
