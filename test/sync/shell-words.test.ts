import { expect } from 'chai'
import fc from 'fast-check'
import { ProvisionError } from '../../src/sync/provision-error.js'
import { shellWords } from '../../src/sync/shell-words.js'
import { must } from '../lab/run.js'

/** Everything but NUL, with a liking for what shells look at. */
const character = fc.oneof(
  fc.constantFrom(...`'"\\$\`!*?[]{}()<>|&;#~%= \t\n\r-`, '\u00e9', '\u{1f600}'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
)
const word = fc
  .array(character, { maxLength: 12 })
  .map((characters) => characters.join(''))
  .filter((text) => !text.includes('\0') && text.isWellFormed())

/** What a program is given as arguments: each one with its end marked. */
const ECHO = ['printf', '%s\\0']

describe('words for a remote shell', () => {
  for (const shell of ['sh', 'bash']) {
    it(`reach a program through ${shell} exactly as they were sent`, async function () {
      this.timeout(20_000)
      await fc.assert(
        fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 20 }), async (words) => {
          const output = await must(shell, ['-c', shellWords([...ECHO, ...words])])
          expect(output.split('\0').slice(0, -1)).to.deep.equal(words)
        }),
        { numRuns: 60 },
      )
    })
  }

  it('hold no NUL', () => {
    expect(() => shellWords(['a', 'b\0c'])).to.throw(ProvisionError)
  })
})
