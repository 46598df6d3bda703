import { expect } from 'chai'
import fc from 'fast-check'
import { parseHttpDate, toHttpDate, toIsoDate } from '../../src/http/http-date.js'

const TIME = Date.UTC(1994, 10, 6, 8, 49, 37)

describe('HTTP dates', () => {
  for (const text of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994']) {
    it(`reads ${text}`, () => expect(parseHttpDate(text)).to.equal(TIME))
  }

  for (const text of [
    '',
    'yesterday',
    '1994-11-06T08:49:37Z',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 25:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 +0100',
    '784111777',
  ]) {
    it(`does not take "${text}" for one`, () => expect(parseHttpDate(text)).to.equal(undefined))
  }

  it('writes the preferred form and drops parts of a second', () => {
    expect(toHttpDate(TIME + 999)).to.equal('Sun, 06 Nov 1994 08:49:37 GMT')
  })

  it('writes what Date writes, for any time', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }), (ms) => {
        expect(toHttpDate(ms)).to.equal(new Date(ms).toUTCString())
        expect(toIsoDate(ms)).to.equal(new Date(ms).toISOString().slice(0, -5) + 'Z')
      }),
    )
  })
})
