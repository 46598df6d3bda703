import { expect } from 'chai'
import path from 'node:path'
import { run } from '../lab/run.js'
import { MATRIX } from './lab/matrix.js'
import { fullRunOf, pageOf, problemsOf } from './lab/table.js'

const ONE = { row: 1, fault: 'it breaks', sees: 'nothing', bound: '1 s' }
const FILE = 'test/faults/a.test.ts'

describe('docs/faults.md', function () {
  this.timeout(60_000)

  it('names every row of the matrix and its tests, and no test that is not there', async () => {
    const main = path.join(import.meta.dirname, 'main.ts')
    const { code, stdout, stderr } = await run(process.execPath, ['--import', 'tsx', main, '--check'], {
      timeout: 50_000,
    })
    expect(stdout + stderr, 'see `npm run faults -- --table`').to.equal('')
    expect(code).to.equal(0)
  })

  it('has the 42 rows', () => {
    expect(MATRIX.map(({ row }) => row)).to.deep.equal(Array.from({ length: 42 }, (_, i) => i + 1))
  })

  it('keeps what was measured before, and takes what was measured anew', () => {
    const tests = [
      { file: FILE, title: 'row 1: says a|b' },
      { file: FILE, title: 'beyond' },
    ]
    const figure = { title: 'row 1: says a|b', file: FILE, measured: ['1 ms', '2 ms'] }
    const key = `${FILE}: row 1: says a|b`
    const first = pageOf([ONE], tests, new Map([[key, figure]]), '', 'then')
    expect(first).to.include(
      '| 1 | it breaks | nothing | 1 s | says a\\|b ([a](../test/faults/a.test.ts)) | 1 ms; 2 ms |',
    )
    expect(first)
      .to.include('| beyond ([a](../test/faults/a.test.ts)) | not measured |')
      .and.include('\nLast run: then\n')
    expect(pageOf([ONE], tests, new Map(), first)).to.equal(first)
    const failed = new Map([[key, { ...figure, measured: ['1 ms'], failed: true as const }]])
    expect(pageOf([ONE], tests, failed, first, 'now'))
      .to.include('| **failed**; 1 ms |')
      .and.include('\nLast run: now\n')
    expect(problemsOf(first, [ONE], tests)).to.deep.equal([])
  })

  it('remembers the last full run beside a part that was measured later', () => {
    expect(fullRunOf(pageOf([], [], new Map(), '', 'then'))).to.equal('then')
    expect(fullRunOf(pageOf([], [], new Map(), '', 'now, a part (the other figures: then)'))).to.equal('then')
  })

  it('is wrong without a row, with a row that has no test, or with a test too many or too few', () => {
    const tests = [{ file: FILE, title: 'row 1: says so' }]
    const page = pageOf([ONE], tests, new Map(), '')
    const two = { ...ONE, row: 2 }
    expect(problemsOf(page, [ONE, two], tests)).to.deep.equal([
      'row 2 is not on the page',
      'row 2 has neither a test nor a reason for none',
    ])
    expect(problemsOf(page, [ONE], [])).to.deep.equal([
      'row 1 has neither a test nor a reason for none',
      `the page names a test that is not there: ${FILE}: says so`,
    ])
    expect(problemsOf(page, [ONE], [...tests, { file: FILE, title: 'row 1: another' }])).to.deep.equal([
      `the page does not name a test: ${FILE}: another`,
    ])
    expect(problemsOf(page, [ONE], [{ file: FILE, title: 'row 1 and 3: says so' }])).to.deep.equal([
      'row 3 of a test is not in the matrix',
    ])
  })
})
