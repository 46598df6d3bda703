import type { SFTPWrapper } from 'ssh2'

type Send = (...args: unknown[]) => unknown
type Answer = (error: Error | null | undefined, handle: Buffer) => void

/**
 * What one channel has open, and so the handle that the next OPEN will give: many servers, OpenSSH among them, give out the
 * same one again as long as nothing else is open. Who expects it may send what follows an OPEN along with it, a round trip
 * earlier, and compares once the OPEN is answered. A handle that was not given after all does no harm: nothing is expected
 * while anything is open, so that the server knows no such handle.
 */
export class Handles {
  #open = 0
  #last: Buffer | undefined
  #twice = false

  /** Counts what `sftp` opens and closes from now on; a CLOSE counts as it leaves, since the server answers in order. */
  constructor(sftp: SFTPWrapper) {
    for (const verb of ['open', 'opendir'] as const) {
      const send = sftp[verb].bind(sftp) as Send
      sftp[verb] = (...args: unknown[]) => send(...args.slice(0, -1), this.#opening(args.at(-1) as Answer))
    }
    const close = sftp.close.bind(sftp)
    sftp.close = (handle, answer) => {
      this.#open--
      close(handle, (error) => {
        // It was not open.
        if (error) this.#open++
        answer?.(error)
      })
    }
  }

  /** What an OPEN that is sent now will likely give, where everything is closed and the two before gave the same. */
  get expected(): Buffer | undefined {
    return this.#open === 0 && this.#twice ? this.#last : undefined
  }

  #opening(answer: Answer): Answer {
    const alone = this.#open++ === 0
    return (error, handle) => {
      if (error) this.#open--
      else if (alone) {
        this.#twice = this.#last?.equals(handle) ?? false
        // A part of what the socket read, whose buffer is used again.
        this.#last = Buffer.from(handle)
      }
      answer(error, handle)
    }
  }
}
