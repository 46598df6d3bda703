import { expect } from 'chai'
import fc from 'fast-check'
import { DavError } from '../../src/dav/dav-error.js'
import { evaluateIf, parseIf, submittedTokens, type ResourceState } from '../../src/dav/if-header.js'

const token = (value: string, not = false) => ({ not, kind: 'token', value })
const etag = (value: string, not = false) => ({ not, kind: 'etag', value })

describe('dav/if-header: grammar of RFC 4918 section 10.4.2', () => {
  const good: [string, unknown][] = [
    ['(<urn:uuid:1>)', [{ tag: undefined, conditions: [token('urn:uuid:1')] }]],
    ['  ( <a> ["e"] )  ', [{ tag: undefined, conditions: [token('a'), etag('"e"')] }]],
    [
      '(<a>)(Not <DAV:no-lock>)',
      [
        { tag: undefined, conditions: [token('a')] },
        { tag: undefined, conditions: [token('DAV:no-lock', true)] },
      ],
    ],
    ['(not<a>)', [{ tag: undefined, conditions: [token('a', true)] }]],
    ['(NOT ["e"] <a>)', [{ tag: undefined, conditions: [etag('"e"', true), token('a')] }]],
    ['<http://h/x> (<a>)', [{ tag: 'http://h/x', conditions: [token('a')] }]],
    [
      '</x> (<a>) (<b>) </y> (<c>)',
      [
        { tag: '/x', conditions: [token('a')] },
        { tag: '/x', conditions: [token('b')] },
        { tag: '/y', conditions: [token('c')] },
      ],
    ],
    ['(["a ]) b"])', [{ tag: undefined, conditions: [etag('"a ]) b"')] }]],
    ['([W/"w"])', [{ tag: undefined, conditions: [etag('W/"w"')] }]],
    ['([\\"e\\"])', [{ tag: undefined, conditions: [etag('"e"')] }]],
    ['([""])', [{ tag: undefined, conditions: [etag('""')] }]],
  ]
  for (const [header, lists] of good) {
    it(`reads ${header}`, () => expect(parseIf(header)).to.deep.equal(lists))
  }

  const bad = [
    '',
    ' ',
    'x',
    '(',
    ')',
    '()',
    '(<a>',
    '(<>)',
    '(<a b>)',
    '<a>',
    '<a> <b> (<c>)',
    '(<a>) <b> (<c>)',
    '(<a>) x',
    '([e])',
    '(["e")',
    '(Not)',
    '(Not Not <a>)',
    '((<a>))',
    '(<a>),(<b>)',
    '<a> (<b>) <c>',
    '(a)',
    '(["e"]',
    '(((((((((('.repeat(100),
    `(${'<a>'.repeat(257)})`,
    '(<a>)'.repeat(257),
    `(<${'a'.repeat(9000)}>)`,
  ]
  for (const header of bad) {
    it(`answers 400 to ${JSON.stringify(header.slice(0, 30))}`, () => {
      expect(() => parseIf(header))
        .to.throw(DavError)
        .with.property('status', 400)
    })
  }

  it('counts every token as submitted, in whichever list and with Not', () => {
    expect([...submittedTokens(parseIf('(<a> ["e"]) (Not <b>) (<a>)'))]).to.deep.equal(['a', 'b'])
  })

  it('reads any text in time or answers 400', () => {
    const piece = fc.constantFrom(
      '(',
      ')',
      '<',
      '>',
      '[',
      ']',
      '"',
      'Not',
      ' ',
      'a',
      'W/',
      '\\',
      '\t',
      '<a>',
      '(<a>)',
      '["e"]',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        try {
          expect(parseIf(pieces.join(''))).not.to.be.empty
        } catch (error) {
          expect(error).to.be.instanceOf(DavError)
        }
      }),
      { seed: 3, numRuns: 1000 },
    )
  })

  it('reads back what the grammar can say', () => {
    const name = fc.stringMatching(/^[a-z:/0-9-]{1,12}$/)
    const condition = fc.record({
      not: fc.boolean(),
      kind: fc.constantFrom('token' as const, 'etag' as const),
      value: name,
    })
    const list = fc.array(condition, { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(list, { minLength: 1, maxLength: 4 }), fc.option(name, { nil: undefined }), (lists, tag) => {
        const header = lists
          .map((conditions) => {
            const inside = conditions.map(
              (c) => `${c.not ? 'Not ' : ''}${c.kind === 'token' ? `<${c.value}>` : `["${c.value}"]`}`,
            )
            return `(${inside.join(' ')})`
          })
          .join(' ')
        const expected = lists.map((conditions) => ({
          tag,
          conditions: conditions.map((c) => (c.kind === 'etag' ? { ...c, value: `"${c.value}"` } : c)),
        }))
        expect(parseIf(tag === undefined ? header : `<${tag}> ${header}`)).to.deep.equal(expected)
      }),
      { seed: 5, numRuns: 300 },
    )
  })
})

describe('dav/if-header: evaluation', () => {
  function resource(tokens: string[], tag: string | undefined): ResourceState {
    return { tokens: () => Promise.resolve(new Set(tokens)), etag: () => Promise.resolve(tag) }
  }
  const locked = resource(['T'], '"e"')
  const free = resource([], '"f"')
  const missing = resource([], undefined)
  const of = (tag: string | undefined) => (tag === undefined ? locked : tag === '/free' ? free : missing)

  const table: [string, boolean][] = [
    ['(<T>)', true],
    ['(<other>)', false],
    ['(<T> ["e"])', true],
    ['(<T> ["x"])', false],
    ['(<T>) (["x"])', true],
    ['(<other>) (["e"])', true],
    ['(Not <T>)', false],
    ['(Not <other>)', true],
    ['(<DAV:no-lock>)', false],
    ['(Not <DAV:no-lock>)', true],
    ['([W/"e"])', false],
    ['(Not [W/"e"])', true],
    ['</free> (<T>)', false],
    ['</free> (["f"])', true],
    ['</free> (<T>) </missing> (Not ["e"])', true],
    ['</missing> (["e"])', false],
    ['</missing> (Not <T>)', true],
  ]
  for (const [header, holds] of table) {
    it(`${header} is ${holds}`, async () => expect(await evaluateIf(parseIf(header), of)).to.equal(holds))
  }

  it('asks nothing that does not decide', async () => {
    const never: ResourceState = {
      tokens: () => Promise.resolve(new Set<string>()),
      etag: () => Promise.reject(new Error('asked')),
    }
    expect(await evaluateIf(parseIf('(<T> ["e"])'), () => never)).to.equal(false)
  })
})
