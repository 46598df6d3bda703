import { relative } from 'node:path'
import Mocha from 'mocha'

interface Failed {
  readonly file?: string
  readonly err?: Error
  fullTitle(): string
}

/** Mocha's own report, then a line `FAILED file: title: first line of the error` for each failure, and as its last line
 * the count. `.ci/run` tells these lines again at its own end. */
class SummaryReporter extends Mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue()
    for (const test of this.failures as unknown as Failed[])
      process.stdout.write(
        `FAILED ${relative('.', test.file ?? '')}: ${test.fullTitle()}: ${test.err?.message.split('\n', 1)[0]}\n`,
      )
    const { passes, failures, pending } = this.stats
    process.stdout.write(`${passes} passed, ${failures} failed, ${pending} skipped\n`)
  }
}

// eslint-disable-next-line no-restricted-syntax -- what mocha asks of a reporter
export default SummaryReporter
