import { expect } from 'chai'
import { RememberedProperties } from '../../src/vfs/remembered-properties.js'
import type { DeadProperty, PropertyStore } from '../../src/vfs/ports.js'

const KEY = { namespace: '1', path: '/a' }
const COLOUR: DeadProperty = { namespace: 'urn:x', name: 'colour', xml: '<colour xmlns="urn:x">red</colour>' }

describe('remembered properties', () => {
  let asked: string[]
  let stored: DeadProperty[]
  let hold: Promise<void>

  const store: PropertyStore = {
    async of() {
      asked.push('of')
      const found = [...stored]
      await hold
      return found
    },
    inFolder() {
      asked.push('inFolder')
      return Promise.resolve(new Map([[KEY.path, [...stored]]]))
    },
    change() {
      stored.push(COLOUR)
      return Promise.resolve()
    },
    anyWithin(key) {
      asked.push(key === undefined ? 'any' : 'anyWithin')
      return Promise.resolve(stored.length > 0 && (key === undefined || key.path === KEY.path))
    },
    copy: () => Promise.resolve(void asked.push('copy')),
    move: () => Promise.resolve(void asked.push('move')),
    remove: () => Promise.resolve(void asked.push('remove')),
  }
  let properties: RememberedProperties
  beforeEach(() => {
    asked = []
    stored = []
    hold = Promise.resolve()
    properties = new RememberedProperties(store)
  })

  it('asks once, for a resource and for a folder', async () => {
    for (let n = 0; n < 3; n++) {
      await properties.of(KEY)
      await properties.inFolder(KEY)
    }
    expect(asked).to.deep.equal(['of', 'inFolder'])
  })

  it('asks for no change where nothing is stored, once it has looked', async () => {
    const other = { namespace: '1', path: '/b' }
    await properties.remove(KEY)
    await properties.move(KEY, other)
    await properties.copy(KEY, other, true)
    expect(asked).to.deep.equal(['any'])
    await properties.change(KEY, [{ set: COLOUR }])
    await properties.remove(other)
    expect(asked).to.deep.equal(['any', 'anyWithin'])
    await properties.move(other, KEY)
    await properties.copy(KEY, other, true)
    await properties.remove(KEY)
    expect(asked.filter((question) => question !== 'anyWithin')).to.deep.equal(['any', 'move', 'copy', 'remove'])
  })

  it('shows a change at once', async () => {
    await properties.of(KEY)
    await properties.inFolder(KEY)
    await properties.change(KEY, [{ set: COLOUR }])
    expect(await properties.of(KEY)).to.deep.equal([COLOUR])
    expect((await properties.inFolder(KEY)).get(KEY.path)).to.deep.equal([COLOUR])
  })

  it('does not keep what was read while something changed', async () => {
    let release!: () => void
    hold = new Promise((resolve) => (release = resolve))
    const early = properties.of(KEY)
    await properties.change(KEY, [{ set: COLOUR }])
    release()
    expect(await early).to.deep.equal([])
    expect(await properties.of(KEY)).to.deep.equal([COLOUR])
  })

  it('asks again after a copy, a move and a removal', async () => {
    const other = { ...KEY, path: '/b' }
    stored.push(COLOUR)
    for (const change of [
      () => properties.copy(KEY, other, true),
      () => properties.move(KEY, other),
      () => properties.remove(KEY),
    ]) {
      await properties.of(KEY)
      await change()
    }
    await properties.of(KEY)
    expect(asked.filter((question) => question === 'of')).to.have.length(4)
  })
})
