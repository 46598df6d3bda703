import { expect } from 'chai'
import type { DeadProperty } from '../../../src/vfs/ports.js'
import { openTestServices, type TestServices } from '../../support/services.js'

const property = (name: string, namespace = 'urn:x'): DeadProperty => ({ namespace, name, xml: `<${name}/>` })
const key = (path: string, namespace = '1') => ({ namespace, path })

describe('DatabasePropertyStore', () => {
  let services: TestServices

  beforeEach(async () => (services = await openTestServices()))
  afterEach(() => services.close())

  async function give(...paths: string[]): Promise<void> {
    for (const path of paths) await services.database.properties.change(key(path), [{ set: property('p') }])
  }

  async function holders(namespace = '1'): Promise<string[]> {
    const rows = await services.database.models.DavProperty.findAll({ where: { namespace } })
    return rows.map(({ path }) => path).sort()
  }

  it('sets, replaces and removes in order', async () => {
    const { properties } = services.database
    await properties.change(key('/f'), [
      { set: property('a') },
      { set: property('a', '') },
      { set: { ...property('a'), xml: '<a>2</a>' } },
      { set: property('b') },
      { remove: { namespace: 'urn:x', name: 'b' } },
      { remove: { namespace: 'urn:x', name: 'none' } },
    ])
    expect(await properties.of(key('/f'))).to.have.deep.members([
      { ...property('a'), xml: '<a>2</a>' },
      property('a', ''),
    ])
    expect(await properties.of(key('/f', '2'))).to.deep.equal([])
  })

  it('finds those of a folder and its direct members', async () => {
    await give('/', '/d', '/d/a', '/d/a/deep', '/e', '/dd')
    const { properties } = services.database
    expect([...(await properties.inFolder(key('/d'))).keys()]).to.have.members(['/d', '/d/a'])
    expect([...(await properties.inFolder(key('/'))).keys()]).to.have.members(['/', '/d', '/e', '/dd'])
    expect((await properties.inFolder(key('/d', '2'))).size).to.equal(0)
  })

  it('knows whether a tree has any', async () => {
    const { properties } = services.database
    expect(await properties.anyWithin()).to.equal(false)
    await give('/a/b')
    for (const path of ['/', '/a', '/a/b']) expect(await properties.anyWithin(key(path)), path).to.equal(true)
    for (const path of ['/a/b/c', '/a/bb', '/b']) expect(await properties.anyWithin(key(path)), path).to.equal(false)
    expect(await properties.anyWithin()).to.equal(true)
  })

  it('removes a tree and nothing beside it', async () => {
    await give('/a', '/a/x', '/a/x/y', '/a!', '/a.b', '/a0', '/ab', '/A', '/a%', '/a_', '/a/é')
    await services.database.properties.remove(key('/a'))
    expect(await holders()).to.deep.equal(['/A', '/a!', '/a%', '/a.b', '/a0', '/a_', '/ab'])
  })

  it('takes % and _ in names for what they are', async () => {
    await give('/%', '/%/x', '/_', '/_/x', '/ab', '/ab/x', '/b', '/b/x')
    await services.database.properties.remove(key('/%'))
    await services.database.properties.remove(key('/_'))
    expect(await holders()).to.deep.equal(['/ab', '/ab/x', '/b', '/b/x'])
  })

  it('copies a tree over what the target had', async () => {
    await give('/ü🙂', '/ü🙂/x', '/ü🙂/x/y', '/t', '/t/old')
    await services.database.properties.copy(key('/ü🙂'), key('/t'), true)
    expect(await holders()).to.deep.equal(['/t', '/t/x', '/t/x/y', '/ü🙂', '/ü🙂/x', '/ü🙂/x/y'])
    expect([...(await services.database.properties.inFolder(key('/t'))).keys()]).to.have.members(['/t', '/t/x'])
  })

  it('copies one resource alone', async () => {
    await give('/s', '/s/x', '/t/old')
    await services.database.properties.copy(key('/s'), key('/t'), false)
    expect(await holders()).to.deep.equal(['/s', '/s/x', '/t'])
  })

  it('moves from and to the root of another server', async () => {
    await give('/', '/x', '/x/y')
    const { properties } = services.database
    await properties.move(key('/'), key('/m', '2'))
    expect([await holders(), await holders('2')]).to.deep.equal([[], ['/m', '/m/x', '/m/x/y']])
    await properties.move(key('/m', '2'), key('/'))
    expect([await holders(), await holders('2')]).to.deep.equal([['/', '/x', '/x/y'], []])
    expect([...(await properties.inFolder(key('/'))).keys()]).to.have.members(['/', '/x'])
  })
})
