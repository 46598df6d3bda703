import type { IncomingMessage, ServerResponse } from 'node:http'

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

/** How long what is there already has the processor to itself, ms. */
const AFTER = 1_000

/**
 * A handler of which the code is read a moment after the start, or when the first request asks for it: a drive that was
 * mounted before a restart need not wait for pages. Not later, because Node never tries an import again that failed, as it
 * does while the process is out of file descriptors.
 */
export class LoadedSoon {
  #loaded: Promise<Handler> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(private readonly load: () => Promise<Handler>) {}

  readonly handler: Handler = async (request, response) => (await this.#get())(request, response)

  begin(onError: (error: unknown) => void): void {
    this.#timer = setTimeout(() => void this.#get().catch(onError), AFTER)
    this.#timer.unref()
  }

  /** Nothing is loaded any more unless a request asks for it. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  #get(): Promise<Handler> {
    clearTimeout(this.#timer)
    return (this.#loaded ??= this.load())
  }
}
