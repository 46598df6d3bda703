import { expect } from 'chai'
import { giveReadBuffer, LARGEST_READ, takeReadBuffer } from '../../src/storage/sftp/read-buffers.js'

const KIB = 1024

describe('buffers of reads over SFTP', () => {
  it('are used again for what has about their size', () => {
    const large = takeReadBuffer(LARGEST_READ)
    const small = takeReadBuffer(32 * KIB)
    for (const buffer of [large, small]) giveReadBuffer(buffer)
    expect(takeReadBuffer(32 * KIB)).to.equal(small)
    expect(takeReadBuffer(200 * KIB)).to.equal(large)
  })

  it('are freed when more come back than are kept, 4 MiB', () => {
    const buffers = Array.from({ length: 20 }, () => takeReadBuffer(LARGEST_READ))
    for (const buffer of buffers) giveReadBuffer(buffer)
    const whole = buffers.filter(({ length }) => length === LARGEST_READ)
    expect(whole).to.have.length.within(1, 16)
    expect(buffers.filter(({ length }) => length === 0)).to.have.length(20 - whole.length)
    const again = Array.from({ length: 20 }, () => takeReadBuffer(LARGEST_READ))
    expect(again).to.include.members(whole)
  })

  it('of small answers are as small', () => {
    expect(takeReadBuffer(100)).to.have.length(100)
  })
})
