import { expect } from 'chai'
import { safeNext } from '../../../src/web/page/origin.js'

describe('the page after the login', () => {
  for (const path of ['/', '/files/server2/a%20b?sort=name', '/users']) {
    it(`may be ${path}`, () => {
      expect(safeNext(path)).to.equal(path)
    })
  }

  const others = [
    '//evil.example',
    '/\\evil.example',
    'https:evil.example',
    'https://evil.example/',
    '/\r\nSet-Cookie: x=1',
    '/\u0000',
    'javascript:alert(1)',
    '/a\\b',
    '',
    undefined,
    ['/a'],
    '/\t/evil.example',
  ]
  for (const next of others) {
    it(`is the first one instead of ${JSON.stringify(next)}`, () => {
      expect(safeNext(next)).to.equal('/')
    })
  }
})
