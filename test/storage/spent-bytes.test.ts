import { expect } from 'chai'
import { free, madeForOneReader } from '../../src/storage/spent-bytes.js'

const SIZE = 64 * 1024

describe('chunks that are spent', () => {
  it('free their memory at once, when they were made for one reader', () => {
    const chunk = madeForOneReader(Buffer.alloc(SIZE, 'x'))
    const before = process.memoryUsage().arrayBuffers
    free(chunk)
    expect(chunk.byteLength).to.equal(0)
    expect(process.memoryUsage().arrayBuffers).to.be.at.most(before - SIZE)
    free(chunk)
  })

  it('stay whole, when somebody else may look at them', () => {
    const own = Buffer.alloc(SIZE, 'x')
    const part = madeForOneReader(Buffer.alloc(2 * SIZE, 'x').subarray(0, SIZE))
    for (const chunk of [own, part]) {
      free(chunk)
      expect(chunk.equals(Buffer.alloc(SIZE, 'x'))).to.equal(true)
    }
  })
})
