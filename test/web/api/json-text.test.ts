import { expect } from 'chai'
import fc from 'fast-check'
import { parseJsonText } from '../../../src/web/api/json-text.js'

const parse = (text: string) => parseJsonText(Buffer.from(text))

describe('parseJsonText', () => {
  it('gives what JSON.parse gives, for every JSON that is not refused', () => {
    const value = fc.jsonValue({ maxDepth: 10 })
    fc.assert(
      fc.property(value, (input) => {
        const text = JSON.stringify(input)
        fc.pre(!text.includes('__proto__') && !text.includes('\\u0000') && !/\\ud[89a-f]/.test(text))
        expect(parse(text)).to.deep.equal(JSON.parse(text))
      }),
    )
  })

  it('looks for names only where names are', () => {
    const text = '{"a":"b\\":{\\"a\\":1,\\"a\\":2","c":["a","a",{"a":1},{"a":2}]}'
    expect(parse(text)).to.deep.equal(JSON.parse(text))
  })

  const refused: [what: string, text: string | Buffer, message: RegExp][] = [
    ['half an object', '{"a":', /not JSON/],
    ['nothing', '', /not JSON/],
    ['a byte order mark', '\ufeff{}', /not JSON/],
    ['another encoding', Buffer.from('{"a":"ä"}', 'latin1'), /not JSON/],
    ['a name that comes twice', '{"a":1,"a":2}', /"a" comes twice/],
    ['a name that comes twice in another spelling', '{"a":1,"\\u0061":2}', /"a" comes twice/],
    ['a name that comes twice further down', '[{"b":{"a":1, "a" :2}}]', /"a" comes twice/],
    ['__proto__', '{"__proto__":{"admin":true}}', /__proto__/],
    ['__proto__ in another spelling', '{"x":{"__pr\\u006fto__":1}}', /__proto__/],
    ['a number beyond a double', '{"a":1e400}', /number at a /],
    ['10,000 levels', '['.repeat(10_000) + ']'.repeat(10_000), /deeper/],
    ['10,000 levels of objects', '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000), /deeper/],
    ['1001 members', `{"list":[${'1,'.repeat(1000)}1]}`, /list at list /],
    ['NUL', '{"a":{"b":"x\\u0000"}}', /text at a\.b /],
    ['half a character', '["\\ud800"]', /text at \[0\] /],
  ]
  for (const [what, text, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(() => parseJsonText(Buffer.from(text)))
        .to.throw(message)
        .with.property('code', 'BAD_JSON')
    })
  }
})
