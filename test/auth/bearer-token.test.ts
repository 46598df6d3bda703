import { expect } from 'chai'
import { parseBearer } from '../../src/auth/bearer-token.js'

describe('parseBearer', () => {
  const cases: [header: string | undefined, kind: string][] = [
    [undefined, 'missing'],
    ['Basic YTpi', 'missing'],
    ['Bearertoken', 'missing'],
    ['Bearer', 'malformed'],
    ['Bearer ', 'malformed'],
    ['Bearer a b', 'malformed'],
    ['Bearer a\tb', 'malformed'],
    ['Bearer ü', 'malformed'],
    [`Bearer ${'a'.repeat(5000)}`, 'malformed'],
    ['Bearer abc', 'token'],
    ['bearer  a.b-c_d~e+f/g==', 'token'],
  ]
  for (const [header, kind] of cases) {
    it(`takes ${JSON.stringify(header?.slice(0, 30))} for ${kind}`, () => {
      expect(parseBearer(header).kind).to.equal(kind)
    })
  }

  it('gives the token as it was sent', () => {
    expect(parseBearer('BEARER a.b-c_d~e+f/g== ')).to.deep.equal({ kind: 'token', token: 'a.b-c_d~e+f/g==' })
  })
})
