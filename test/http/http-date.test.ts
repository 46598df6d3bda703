import { expect } from 'chai'
import { parseHttpDate, toHttpDate } from '../../src/http/http-date.js'

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
})
