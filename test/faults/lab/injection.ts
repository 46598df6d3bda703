/** One command of FTP or one request of SFTP on its way to the server. */
export interface Command {
  /** `STOR`, `OPEN`. */
  readonly verb: string
  /** FTP: the whole line. SFTP: the verb, and the name of an extension. */
  readonly line: string
  /** Counted from 1 over all connections since `Injector.arm`. */
  readonly index: number
}

/** `before`: the server never sees it. `reply`: its first answer is withheld. `end`: its last answer is withheld. */
export type Moment = 'before' | 'reply' | 'end'

export type Action =
  /** Nothing passes on this connection any more, in either direction. */
  | { readonly kind: 'stall' }
  /** RST to both sides; on SFTP the session's process ends. */
  | { readonly kind: 'reset' }
  /** FIN to the client. */
  | { readonly kind: 'fin' }
  /** This answer instead of the server's: an FTP reply, or a code of SFTP (3 denied, 4 failure). */
  | { readonly kind: 'answer'; readonly reply: string; readonly status: number }
  | { readonly kind: 'delay'; readonly ms: number }
  /** Nothing passes any more, but the server gets this command after a time, even when its client has gone. */
  | { readonly kind: 'late'; readonly ms: number }

export interface Fault {
  readonly at: Moment
  readonly action: Action
}

/** Says what happens to a command; undefined lets it pass. */
export type Judge = (command: Command) => Fault | undefined

/** Sees every command to one server and may act on each. */
export class Injector {
  /** Lines since `arm`. */
  seen: string[] = []
  /** Faults that happened since `arm`. */
  fired = 0
  /** One for each late command, settled when the server has answered it or ended. */
  late: Promise<void>[] = []
  #judge: Judge | undefined

  /** Counts from 1 again, with `judge` for what comes. */
  arm(judge?: Judge): void {
    this.seen = []
    this.fired = 0
    this.late = []
    this.#judge = judge
  }

  /** The `nth` command whose line matches gets `fault`, once. */
  armOn(pattern: RegExp, fault: Fault, nth = 1): void {
    let count = 0
    this.arm(({ line }) => (pattern.test(line) && ++count === nth ? fault : undefined))
  }

  disarm(): void {
    this.#judge = undefined
  }

  judge(verb: string, line: string): Fault | undefined {
    this.seen.push(line)
    const fault = this.#judge?.({ verb, line, index: this.seen.length })
    if (fault !== undefined) this.fired++
    return fault
  }
}
