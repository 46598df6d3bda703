/** What a command talks to. Data goes to `out`, everything said to people besides to `err`. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** One line. */
  out(line: string): void
  err(line: string): void
  /** Without a line break. */
  ask(text: string): void
}

export function processTerminal(): Terminal {
  return {
    stdin: process.stdin,
    env: process.env,
    out: (line) => void process.stdout.write(line + '\n'),
    err: (line) => void process.stderr.write(line + '\n'),
    ask: (text) => void process.stderr.write(text),
  }
}

/** The user pressed Ctrl-C at a prompt. */
export class Interrupted extends Error {}

const CTRL_C = '\u0003'
const END_OF_LINE = new Set(['\r', '\n', '\u0004'])
const BACKSPACE = new Set(['\u007f', '\b'])

/** One line typed by a person, not shown. @throws Interrupted */
export async function readHidden(terminal: Terminal, question: string): Promise<string> {
  const stdin = terminal.stdin
  terminal.ask(question)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stdin.resume()
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed: string[] = []
      const onData = (text: string) => {
        const characters = [...text]
        for (const [index, character] of characters.entries()) {
          const rest = characters.slice(index + 1).join('')
          if (END_OF_LINE.has(character)) return done(rest, () => resolve(typed.join('')))
          if (character === CTRL_C) return done('', () => reject(new Interrupted('Interrupted.')))
          if (BACKSPACE.has(character)) typed = typed.slice(0, -1)
          else typed.push(character)
        }
      }
      // What was typed or pasted ahead belongs to the next question.
      const done = (rest: string, settle: () => void) => {
        stdin.off('data', onData)
        stdin.pause()
        if (rest !== '') stdin.unshift(rest)
        settle()
      }
      stdin.on('data', onData)
    })
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    terminal.ask('\n')
  }
}

/** All of a piped standard input; it is not a place for large things. @throws RangeError above 1 MiB */
export async function readPiped(terminal: Terminal): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of terminal.stdin) {
    const bytes = Buffer.from(chunk as Buffer)
    size += bytes.length
    if (size > 1024 * 1024) throw new RangeError('Standard input is longer than 1 MiB.')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Columns, each as wide as its widest cell. Control characters are shown as `?`: names come from others. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [head, ...rows].map((row) => row.map(printable))
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?')
}
