import { expect } from 'chai'
import fc from 'fast-check'
import { HttpError } from '../../src/http/errors.js'
import { encodePath, parseUrlPath } from '../../src/http/url-path.js'

describe('parseUrlPath', () => {
  const good: [raw: string, path: string, trailingSlash: boolean][] = [
    ['/', '/', true],
    ['/a/b', '/a/b', false],
    ['/a/b/', '/a/b', true],
    ['//a///b', '/a/b', false],
    ['/a/./b', '/a/b', false],
    ['/a%20b/%23%3F%25', '/a b/#?%', false],
    ['/%252e%252e%252f', '/%2e%2e%2f', false],
    ['/....//', '/....', true],
    ['/a%5Cb', '/a\\b', false],
    ['/%C3%A9', '/é', false],
    ['/\u00c3\u00a9', '/é', false],
    ['/e%CC%81', '/e\u0301', false],
    ['/%F0%9F%98%80', '/😀', false],
    ["/a'(b)*!~;=@+&$,:", "/a'(b)*!~;=@+&$,:", false],
  ]
  for (const [raw, path, trailingSlash] of good) {
    it(`reads ${raw} as ${path}`, () => expect(parseUrlPath(raw)).to.deep.equal({ path, trailingSlash }))
  }

  const bad = [
    ['', 'empty'],
    ['a', 'relative'],
    ['/%E0%A4%A', 'a cut escape'],
    ['/%zz', 'no hex'],
    ['/%', 'a lone percent sign'],
    ['/%ff%fe', 'invalid UTF-8'],
    ['/%ED%A0%80', 'a lone surrogate'],
    ['/\u00ff', 'a raw byte that is no UTF-8'],
    ['/a%2Fb', 'an escaped slash'],
    ['/..%2f..%2fetc/passwd', 'escaped slashes that climb'],
    ['/a/../b', 'dots that climb'],
    ['/%2e%2e/', 'escaped dots that climb'],
    ['/..%5c', 'dots and a backslash'],
    ['/a%5C..%5Cb', 'dots between backslashes'],
    ['/a%00b', 'NUL'],
    ['/x%0d%0aDELE%20y', 'CR and LF'],
    ['/a%7Fb', 'DEL'],
    ['/a#b', 'a raw number sign'],
    ['/a?b', 'a query'],
    ['/' + 'x'.repeat(256), 'a name of 256 bytes'],
    ['/' + 'x/'.repeat(65), 'more than 64 segments'],
  ]
  for (const [raw = '', what] of bad) {
    it(`refuses ${what} with 400`, () => {
      expect(() => parseUrlPath(raw))
        .to.throw(HttpError)
        .with.property('status', 400)
    })
  }

  it('refuses what cannot be a path any more with 414', () => {
    expect(() => parseUrlPath('/' + 'a/'.repeat(10_000)))
      .to.throw(HttpError)
      .with.property('status', 414)
  })
})

describe('encodePath', () => {
  it('escapes with upper-case hex and keeps slashes', () => {
    expect(encodePath('/a b/é#?%&;', false)).to.equal('/a%20b/%C3%A9%23%3F%25%26%3B')
  })

  it('ends collections, and only those, in one slash', () => {
    expect(encodePath('/', true)).to.equal('/')
    expect(encodePath('/a', true)).to.equal('/a/')
    expect(encodePath('/a', false)).to.equal('/a')
  })

  it('never throws, not even on half a surrogate pair from a server', () => {
    expect(encodePath('/a\ud800', false)).to.equal('/a%EF%BF%BD')
  })

  it('gives what parseUrlPath reads back, for any name', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      // eslint-disable-next-line no-control-regex
      .filter((text) => !/[\u0000-\u001f\u007f/\\]/.test(text) && text !== '.' && text !== '..' && text.isWellFormed())
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), fc.boolean(), (names, collection) => {
        const path = '/' + names.join('/')
        expect(parseUrlPath(encodePath(path, collection))).to.deep.equal({ path, trailingSlash: collection })
      }),
    )
  })

  it('reads a path the same way whether it has an escape or not', () => {
    const outcomeOf = (raw: string) => {
      try {
        return parseUrlPath(raw)
      } catch (error) {
        return (error as HttpError).status
      }
    }
    const piece = fc.oneof(fc.constantFrom('/', '.', '..', '~', '-', '_'), fc.stringMatching(/^[a-z]{1,300}$/))
    const path = fc.array(piece, { maxLength: 150 }).map((pieces) => '/x' + pieces.join(''))
    fc.assert(
      fc.property(path, (raw) => {
        expect(outcomeOf(raw)).to.deep.equal(outcomeOf('/%78' + raw.slice(2)))
      }),
    )
  })

  it('leads to a path below the root or to a 400, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
        try {
          const { path } = parseUrlPath('/' + text)
          expect(path.startsWith('/')).to.equal(true)
          expect(path.split('/')).not.to.include('..')
        } catch (error) {
          expect(error).to.be.instanceOf(HttpError)
        }
      }),
    )
  })
})
