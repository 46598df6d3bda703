import { HttpConnection, type Answer, type Request } from './http-client.js'

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
  restart(): Promise<void>
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
    const answer = await connection.request(request)
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

/** Works through `items`, `atOnce` at a time. */
export async function each<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
}
