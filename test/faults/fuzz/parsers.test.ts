import { expect } from 'chai'
import fc from 'fast-check'
import { parseDepth } from '../../../src/dav/depth.js'
import { parseDestination } from '../../../src/dav/destination.js'
import { parseIf } from '../../../src/dav/if-header.js'
import { parseTimeout } from '../../../src/dav/timeout.js'
import { readXml } from '../../../src/dav/xml-reader.js'
import { parseRange } from '../../../src/http/range.js'
import { answerFor } from '../../../src/http/status.js'
import { parseMlsdLine } from '../../../src/storage/ftp/facts.js'
import { ListingLines, type ParsedListing, type ParseLine } from '../../../src/storage/ftp/listing-lines.js'
import { parseListLine } from '../../../src/storage/ftp/parse-list.js'

/** Cases for each parser in CI. */
const RUNS = 8_000
/** Milliseconds that no input of this size may take. */
const PATIENCE = 250

/** Valid texts with pieces cut out, doubled and replaced. */
function mutated(...seeds: readonly string[]): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat({ max: 12 }),
    insert: fc.oneof(
      fc.constant(''),
      fc.string({ maxLength: 8 }),
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.constantFrom(
        ...seeds,
        '<',
        '>',
        '(',
        ')',
        '[',
        '"',
        '\\',
        ',',
        '-',
        '9'.repeat(30),
        ' '.repeat(2_000),
        '('.repeat(500),
      ),
    ),
  })
  return fc.tuple(fc.constantFrom(...seeds), fc.array(change, { maxLength: 4 })).map(([seed, changes]) =>
    changes.reduce((text, { at, length, insert }) => {
      const start = Math.floor(at * text.length)
      return text.slice(0, start) + insert + text.slice(start + length)
    }, seed),
  )
}

/** The parser gives something that `judge` accepts, or refuses with a 4xx (502 for a foreign Destination), soon. */
function fuzz<T>(
  inputs: fc.Arbitrary<string>,
  parse: (text: string) => T,
  judge: (result: T, text: string) => void,
): void {
  fc.assert(
    fc.property(inputs, (text) => {
      const started = performance.now()
      let result: T
      try {
        result = parse(text)
      } catch (error) {
        const { status } = answerFor(error)
        expect(status === 502 || (status >= 400 && status < 500), String(error)).to.equal(true)
        return
      } finally {
        expect(performance.now() - started, 'milliseconds').to.be.below(PATIENCE)
      }
      judge(result, text)
    }),
    { numRuns: RUNS },
  )
}

describe('parsers, whatever they are fed', function () {
  this.timeout(120_000)

  it('If', () => {
    const seeds = [
      '(<urn:uuid:1> ["etag"])',
      '</a> (Not <DAV:no-lock>) (["x"])',
      '<http://h/x> (<opaquelocktoken:2> [W/"y"])',
    ]
    fuzz(mutated(...seeds), parseIf, (lists) => expect(lists.length).to.be.greaterThan(0))
  })

  it('Range', () => {
    const size = 1_000
    fuzz(
      mutated('bytes=0-99', 'bytes=-5', 'bytes=990-', 'bytes=0-0,5-9'),
      (text) => parseRange(text, size),
      (range) => {
        if (range === undefined || range === 'unsatisfiable') return
        expect(range.start).to.be.within(0, size - 1)
        expect(range.end).to.be.within(range.start, size - 1)
      },
    )
  })

  it('Destination', () => {
    fuzz(
      mutated('http://drive.example/dav/server2/a%20b', '/dav/server2/x/y', 'https://drive.example:8443/dav/'),
      (text) => parseDestination(text, new Set(['drive.example'])),
      (path) => {
        expect(path.startsWith('/')).to.equal(true)
        expect(path.split('/')).to.not.include('..')
      },
    )
  })

  it('Depth and Timeout', () => {
    fuzz(mutated('0', '1', 'infinity'), parseDepth, (depth) => expect(depth).to.be.oneOf(['0', '1', 'infinity']))
    fuzz(
      mutated('Second-60', 'Infinite, Second-4100000000'),
      (text) => parseTimeout(text, 3_600),
      (seconds) => expect(seconds).to.be.within(1, 3_600),
    )
  })

  it('XML', () => {
    const seeds = [
      '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>',
      '<a:propertyupdate xmlns:a="DAV:" xmlns:z="urn:z"><a:set><a:prop><z:x>v&amp;w</z:x></a:prop></a:set></a:propertyupdate>',
      '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    ]
    const limits = { depth: 32, elements: 1_000 }
    fuzz(
      mutated(...seeds),
      (text) => readXml(Buffer.from(text), limits),
      (root, text) => {
        expect(root.name).to.not.equal('')
        expect(text).to.not.match(/<!ENTITY/)
      },
    )
  })

  it('listings of MLSD: names are there, or the listing says that it cannot be read', () => {
    fuzz(
      mutated(
        'type=cdir;modify=20260101000000; .\r\ntype=file;size=5;modify=20260101000000; a b\r\n',
        'type=dir;perm=el;unique=1; d\r\ntype=OS.unix=symlink;size=1; l\r\n',
      ),
      (text) => listingOf(text, parseMlsdLine),
      judgeListing,
    )
  })

  it('listings of LIST: names are there, or the listing says that it cannot be read', () => {
    fuzz(
      mutated(
        'total 8\r\n-rw-r--r--   1 a  b      5 Jan  1 00:00 file\r\ndrwxr-xr-x   2 a  b   4096 Feb 28  2024 dir\r\n',
        'lrwxrwxrwx   1 a  b      5 Jan  1 00:00 l -> ../t\r\n01-02-26  03:04PM       <DIR>          w x\r\n',
      ),
      (text) => listingOf(text, parseListLine(Date.UTC(2026, 5, 1))),
      judgeListing,
    )
  })
})

function listingOf(text: string, parse: ParseLine): ParsedListing {
  const lines = new ListingLines('utf8', parse)
  lines.push(Buffer.from(text))
  return lines.end()
}

function judgeListing({ names, unreadable }: ParsedListing, text: string): void {
  if (unreadable !== undefined) return
  for (const { name, size } of names) {
    expect(name).to.not.equal('')
    expect(size === undefined || (Number.isSafeInteger(size) && size >= 0), `size ${size}`).to.equal(true)
  }
  // Nothing is left out in silence: each line is an entry, a heading, the folder itself, or blank.
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  expect(names.length).to.be.at.most(lines.length)
}
