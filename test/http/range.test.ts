import { expect } from 'chai'
import { parseRange } from '../../src/http/range.js'

describe('parseRange', () => {
  const cases: [header: string | undefined, size: number, expected: ReturnType<typeof parseRange>][] = [
    [undefined, 10, undefined],
    ['bytes=0-0', 10, { start: 0, end: 0 }],
    ['bytes=2-5', 10, { start: 2, end: 5 }],
    ['bytes=2-', 10, { start: 2, end: 9 }],
    ['bytes=0-99', 10, { start: 0, end: 9 }],
    ['bytes=-3', 10, { start: 7, end: 9 }],
    ['bytes=-99', 10, { start: 0, end: 9 }],
    ['BYTES=1-2', 10, { start: 1, end: 2 }],
    ['bytes = 1-2 ', 10, { start: 1, end: 2 }],
    ['bytes=9-', 10, { start: 9, end: 9 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=999999-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-5', 0, undefined],
    ['bytes=0-18446744073709551616', 10, { start: 0, end: 9 }],
    ['bytes=18446744073709551616-', 10, 'unsatisfiable'],
    ['bytes=5-2', 10, undefined],
    ['bytes=a-b', 10, undefined],
    ['bytes=-', 10, undefined],
    ['bytes=', 10, undefined],
    ['bytes=0-1,3-4', 10, undefined],
    ['bytes=' + '0-0,'.repeat(500), 10, undefined],
    ['bytes=0-' + '9'.repeat(100), 10, undefined],
    ['items=0-1', 10, undefined],
    ['bytes=1.5-2', 10, undefined],
    ['bytes=--1', 10, undefined],
    ['', 10, undefined],
  ]
  for (const [header, size, expected] of cases) {
    it(`takes ${String(header).slice(0, 40)} of ${size} bytes as ${JSON.stringify(expected) ?? 'the whole file'}`, () => {
      expect(parseRange(header, size)).to.deep.equal(expected)
    })
  }
})
