import Mocha from 'mocha'

/** Mocha's own report, and as its last line the count that `.ci/run` adds up. */
class SummaryReporter extends Mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue()
    const { passes, failures, pending } = this.stats
    process.stdout.write(`${passes} passed, ${failures} failed, ${pending} skipped\n`)
  }
}

// eslint-disable-next-line no-restricted-syntax -- what mocha asks of a reporter
export default SummaryReporter
