import { expect } from 'chai'
import type { IncomingHttpHeaders } from 'node:http'
import { HttpError } from '../../src/http/errors.js'
import { checkPreconditions, rangeApplies } from '../../src/http/preconditions.js'
import { fileNode } from '../support/fake-tree.js'

const FILE = fileNode('/s/a.txt', 10, { etag: '"v1"', modified: Date.UTC(2026, 0, 2, 3, 4, 5, 678) })
const SAME = 'Fri, 02 Jan 2026 03:04:05 GMT'
const EARLIER = 'Fri, 02 Jan 2026 03:04:04 GMT'
const LATER = 'Fri, 02 Jan 2026 03:04:06 GMT'

type Outcome = 'proceed' | 'not-modified' | 412

function outcome(headers: IncomingHttpHeaders, current: typeof FILE | undefined, safe: boolean): Outcome {
  try {
    return checkPreconditions(headers, current, { safe })
  } catch (error) {
    if (error instanceof HttpError && error.status === 412) return 412
    throw error
  }
}

describe('checkPreconditions', () => {
  const cases: [headers: IncomingHttpHeaders, there: boolean, onGet: Outcome, onPut: Outcome][] = [
    [{}, true, 'proceed', 'proceed'],
    [{}, false, 'proceed', 'proceed'],
    [{ 'if-match': '"v1"' }, true, 'proceed', 'proceed'],
    [{ 'if-match': '"v0", "v1"' }, true, 'proceed', 'proceed'],
    [{ 'if-match': '"v2"' }, true, 412, 412],
    [{ 'if-match': 'W/"v1"' }, true, 412, 412],
    [{ 'if-match': '*' }, true, 'proceed', 'proceed'],
    [{ 'if-match': '*' }, false, 412, 412],
    [{ 'if-match': '"v1"' }, false, 412, 412],
    [{ 'if-match': 'v1' }, true, 412, 412],
    [{ 'if-none-match': '*' }, true, 'not-modified', 412],
    [{ 'if-none-match': '*' }, false, 'proceed', 'proceed'],
    [{ 'if-none-match': '"v1"' }, true, 'not-modified', 412],
    [{ 'if-none-match': 'W/"v1"' }, true, 'not-modified', 412],
    [{ 'if-none-match': '"v2", "v3"' }, true, 'proceed', 'proceed'],
    [{ 'if-modified-since': SAME }, true, 'not-modified', 'proceed'],
    [{ 'if-modified-since': LATER }, true, 'not-modified', 'proceed'],
    [{ 'if-modified-since': EARLIER }, true, 'proceed', 'proceed'],
    [{ 'if-modified-since': 'never' }, true, 'proceed', 'proceed'],
    [{ 'if-unmodified-since': SAME }, true, 'proceed', 'proceed'],
    [{ 'if-unmodified-since': EARLIER }, true, 412, 412],
    [{ 'if-unmodified-since': EARLIER }, false, 'proceed', 'proceed'],
    [{ 'if-unmodified-since': 'x' }, true, 'proceed', 'proceed'],
    // The order of RFC 9110 section 13.2.2: a tag silences the date beside it.
    [{ 'if-match': '"v1"', 'if-unmodified-since': EARLIER }, true, 'proceed', 'proceed'],
    [{ 'if-none-match': '"v2"', 'if-modified-since': LATER }, true, 'proceed', 'proceed'],
    [{ 'if-match': '"v2"', 'if-none-match': '"v1"' }, true, 412, 412],
    [{ 'if-match': '"v1"', 'if-none-match': '"v1"' }, true, 'not-modified', 412],
  ]
  for (const [headers, there, onGet, onPut] of cases) {
    it(`${JSON.stringify(headers)} on ${there ? 'a file' : 'nothing'}: GET ${onGet}, PUT ${onPut}`, () => {
      expect(outcome(headers, there ? FILE : undefined, true)).to.equal(onGet)
      expect(outcome(headers, there ? FILE : undefined, false)).to.equal(onPut)
    })
  }

  it('ignores dates where the server tells no modification time', () => {
    const node = fileNode('/s/a', 1, { modified: undefined })
    expect(outcome({ 'if-modified-since': LATER }, node, true)).to.equal('proceed')
    expect(outcome({ 'if-unmodified-since': EARLIER }, node, false)).to.equal('proceed')
  })
})

describe('rangeApplies', () => {
  const now = Date.UTC(2026, 1, 1)
  const cases: [ifRange: string | undefined, applies: boolean][] = [
    [undefined, true],
    ['"v1"', true],
    ['"v2"', false],
    ['W/"v1"', false],
    [SAME, true],
    [EARLIER, false],
    [LATER, false],
    ['garbage', false],
  ]
  for (const [ifRange, applies] of cases) {
    it(`If-Range ${String(ifRange)}: ${applies}`, () => {
      expect(rangeApplies(ifRange === undefined ? {} : { 'if-range': ifRange }, FILE, now)).to.equal(applies)
    })
  }

  it('does not trust the date of a file that changed a moment ago', () => {
    expect(rangeApplies({ 'if-range': SAME }, FILE, (FILE.modified ?? 0) + 500)).to.equal(false)
  })
})
