import { BrokenOff, HttpConnection, type Answer, type Request } from './http-client.js'

/** What is compared: an HTTP address below which every server of the lab is a folder by its name. */
export interface Drive {
  readonly name: 'ftpcluster' | 'rclone'
  readonly port: number
  /** `/dav/` or `/`. */
  readonly prefix: string
  /** The process that answers. */
  readonly pid: number
  /** Value of the header, of the n-th user; where there is one login only, the same for all. */
  authorization(user?: number): string
  /** Ends the program, and starts it until it takes connections. */
  end(): Promise<void>
  serve(): Promise<void>
  /** The end of what it has logged. */
  lastWords(): Promise<string>
}

/** Clients of one drive: at most as many connections as there are requests at once. */
export class Client {
  readonly #idle: HttpConnection[] = []
  #requests = 0

  constructor(
    readonly drive: Drive,
    private readonly user?: number,
  ) {}

  /** Requests made so far. */
  get requests(): number {
    return this.#requests
  }

  /** @throws an error that shows the answer when its status is not one of `expected` */
  async send(request: Request, ...expected: number[]): Promise<Answer> {
    const connection = this.#idle.pop() ?? new HttpConnection(this.drive.port, this.drive.authorization(this.user))
    this.#requests++
    const answer = await connection.request(request).catch((error: unknown) => {
      const Kind = error instanceof BrokenOff ? BrokenOff : Error
      throw new Kind(`${this.drive.name}: ${(error as Error).message}`, { cause: error })
    })
    this.#idle.push(connection)
    if (!expected.includes(answer.status)) {
      const text = answer.body.toString('utf8', 0, 300)
      throw new Error(`${this.drive.name}: ${request.method} ${request.path} answered ${answer.status}: ${text}`)
    }
    return answer
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.close()
  }
}

/** How often one request is made of rclone, which now and then closes its connection in the middle of an answer over FTP. */
const TRIES = 5

const brokenOff = new WeakMap<Drive, number>()

/** Answers so far that a drive broke off and was asked for again. */
export function answersBrokenOff(drive: Drive): number {
  return brokenOff.get(drive) ?? 0
}

/** Asks once; rclone again, within the time of the clock, where it breaks off its answer. What the gateway breaks off is an error. */
export async function patiently<T>(drive: Drive, ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof BrokenOff) || drive.name === 'ftpcluster' || tries === TRIES) throw error
      brokenOff.set(drive, answersBrokenOff(drive) + 1)
    }
  }
}

/**
 * Works through `items`, `atOnce` at a time, for `seconds` at most.
 * @returns how many are done: the first of them
 */
export async function each<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<unknown>,
  seconds = Infinity,
): Promise<number> {
  const queue = items.values()
  const until = performance.now() + seconds * 1000
  let done = 0
  const worker = async () => {
    while (performance.now() < until) {
      const next = queue.next()
      if (next.done === true) return
      await work(next.value)
      done++
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  return done
}

/** `each`, and the seconds that it took. */
export async function timedEach<T>(
  ...work: Parameters<typeof each<T>>
): Promise<{ readonly done: number; readonly seconds: number }> {
  const start = performance.now()
  const done = await each(...work)
  return { done, seconds: (performance.now() - start) / 1000 }
}
