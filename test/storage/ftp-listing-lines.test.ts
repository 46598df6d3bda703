import { expect } from 'chai'
import fc from 'fast-check'
import { parseMlsdLine } from '../../src/storage/ftp/facts.js'
import { ListingLines } from '../../src/storage/ftp/listing-lines.js'
import { parseListLine } from '../../src/storage/ftp/parse-list.js'

function read(encoding: BufferEncoding, ...chunks: readonly Buffer[]) {
  const lines = new ListingLines(encoding, parseMlsdLine)
  for (const chunk of chunks) lines.push(Buffer.from(chunk))
  const { names, selfModified, unreadable, blank } = lines.end()
  return { names, selfModified, unreadable, blank }
}

describe('a listing that comes in pieces (FTP)', () => {
  const SELF = 'type=cdir;modify=20260101000000; /where/it/stands\r\ntype=pdir;modify=20260101000000; /where/it\r\n'

  it('is the same wherever it is cut', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => !/[\r\n/]/.test(text) && text.isWellFormed() && text !== '.' && text !== '..')
    const cuts = fc.array(fc.nat({ max: 2000 }), { maxLength: 20 })
    const encoding = fc.constantFrom('utf8' as const, 'latin1' as const)
    fc.assert(
      fc.property(
        fc.array(name, { maxLength: 10 }),
        cuts,
        encoding,
        fc.constantFrom('\r\n', '\n'),
        (names, cuts, encoding, end) => {
          const text =
            SELF + names.map((name, n) => `type=file;size=${n};modify=20260101000000; ${name}${end}`).join('')
          const bytes = Buffer.from(text)
          const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
          const pieces = at.slice(1).map((to, n) => bytes.subarray(at[n], to))
          const whole = read(encoding, bytes)
          expect(read(encoding, ...pieces)).to.deep.equal(whole)
          const expected = names.map((name) => Buffer.from(name).toString(encoding))
          expect(whole.names.map(({ name }) => name)).to.deep.equal(expected)
          expect(whole.selfModified).to.equal(Date.UTC(2026, 0, 1))
        },
      ),
    )
  })

  it('may end without the end of its last line', () => {
    expect(
      read('utf8', Buffer.from('type=file;size=1; a\r\ntype=fi'), Buffer.from('le;size=2; b')).names,
    ).to.have.length(2)
  })

  it('is unreadable with the first line that is, or that never ends', () => {
    expect(read('utf8', Buffer.from('type=file; a\r\nnonsense\r\n'), Buffer.from('more')).unreadable).to.equal(
      'nonsense',
    )
    const endless = Array.from({ length: 100 }, () => Buffer.alloc(1000, 'x'))
    expect(read('utf8', ...endless).unreadable).to.match(/^x{64000,66000}$/)
  })

  it('is blank where there is nothing but space, and not where a folder is empty', () => {
    expect(read('utf8').blank).to.equal(true)
    expect(read('utf8', Buffer.from(' \r\n')).blank).to.equal(true)
    const list = new ListingLines('utf8', parseListLine(Date.UTC(2026, 5, 1)))
    list.push(Buffer.from('total 0\r\n'))
    expect([list.end().blank, list.names, list.unreadable]).to.deep.equal([false, [], undefined])
  })
})
