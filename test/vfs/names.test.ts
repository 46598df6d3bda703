import { expect } from 'chai'
import { EntityTags } from '../../src/vfs/entity-tags.js'
import { isTemporaryName, temporaryName } from '../../src/vfs/temporary-name.js'
import { virtualPath } from '../../src/vfs/virtual-path.js'

describe('temporary names', () => {
  it('fit into 255 bytes, cut between characters', () => {
    for (const name of ['a', 'x'.repeat(255), '😀'.repeat(63), 'é'.repeat(127)]) {
      const temporary = temporaryName(name, 'upload', 1_700_000_000_123)
      expect(Buffer.byteLength(temporary)).to.be.at.most(255)
      expect(temporary.isWellFormed()).to.equal(true)
      expect(isTemporaryName(temporary)).to.equal(true)
    }
  })

  it('never come twice', () => {
    const names = new Set(Array.from({ length: 1000 }, () => temporaryName('a', 'backup', 0)))
    expect(names.size).to.equal(1000)
  })

  it('leave alone what only resembles them', () => {
    for (const name of [
      '.ftpc-',
      '.ftpc-x',
      '.ftpc-report.doc',
      '.ftpc-abcdef-short~x',
      'x.ftpc-sc8e4u-0123456789~a',
    ]) {
      expect(isTemporaryName(name), name).to.equal(false)
    }
  })
})

describe('a virtual path', () => {
  it('drops empty and dot segments and keeps names byte for byte', () => {
    expect(virtualPath(['', 'server2', '.', ' a b ', 'cafe\u0301', '\\', ''])).to.equal('/server2/ a b /cafe\u0301/\\')
    expect(virtualPath([])).to.equal('/')
  })

  it('refuses what climbs, splits, controls or does not end', () => {
    const bad = [['..'], ['a', '..', 'b'], ['a/b'], ['a\0'], ['a\r\nDELE b'], ['\ud800'], ['x'.repeat(256)]]
    bad.push(
      Array.from({ length: 65 }, () => 'a'),
      Array.from({ length: 60 }, () => 'x'.repeat(100)),
    )
    for (const segments of bad)
      expect(() => virtualPath(segments))
        .to.throw()
        .with.property('code', 'BAD_PATH')
  })
})

describe('entity tags', () => {
  const key = { namespace: '1', path: '/f' }
  const entry = (size: number, modified: number) =>
    ({ name: 'f', type: 'file', symlink: false, size, modified }) as const

  it('are the same for the same file and differ by size and time', () => {
    const tags = new EntityTags()
    expect(tags.of(key, entry(1, 1000))).to.equal(tags.of(key, entry(1, 1000)))
    expect(tags.of(key, entry(1, 1000))).to.not.equal(tags.of(key, entry(2, 1000)))
    expect(tags.of(key, entry(1, 1000))).to.not.equal(tags.of(key, entry(1, 2000)))
  })

  it('tell two saves of the same size within one second apart, back and forth', () => {
    const tags = new EntityTags()
    const seen = [tags.of(key, entry(1, 1000))]
    for (const size of [1, 2, 1, 1]) {
      tags.saved(key, entry(1, 1000), entry(size, 1000))
      seen.push(tags.of(key, entry(size, 1000)))
    }
    expect(new Set(seen).size).to.equal(5)
  })

  it('are plain again when the file changed on the server', () => {
    const tags = new EntityTags()
    tags.saved(key, entry(1, 1000), entry(1, 1000))
    expect(tags.of(key, entry(1, 9000))).to.equal(new EntityTags().of(key, entry(1, 9000)))
  })
})
