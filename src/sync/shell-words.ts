import { ProvisionError } from './provision-error.js'

/**
 * A program and its arguments as one line for the shell that sshd hands it to: every word in single quotes, in which a POSIX
 * shell reads nothing but the end quote. The only place where such a line is made.
 * @throws REFUSED for a word with a NUL, which no program can be given
 */
export function shellWords(argv: readonly string[]): string {
  return argv.map(quoted).join(' ')
}

function quoted(word: string): string {
  if (word.includes('\0')) throw new ProvisionError('REFUSED', 'An argument cannot hold a NUL.')
  return `'${word.replaceAll("'", `'\\''`)}'`
}
