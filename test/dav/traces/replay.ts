import { expect } from 'chai'
import type { OutgoingHttpHeaders } from 'node:http'
import type { Answer, DavGateway } from '../dav-gateway.js'

export interface Step {
  readonly method: string
  readonly path: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
  /** Wanted status, or any of several. */
  readonly status: number | readonly number[]
}

/**
 * Sends what a client sends, one request after another. `{T}` in a header is the lock token of the last LOCK.
 * `challenged`: every request goes out without a password first, as some clients do on every request.
 */
export class Replay {
  #token = ''

  constructor(
    private readonly gateway: DavGateway,
    private readonly common: OutgoingHttpHeaders,
    private readonly challenged: boolean,
  ) {}

  async run(...steps: Step[]): Promise<Answer> {
    let last: Answer | undefined
    for (const step of steps) last = await this.#send(step)
    if (!last) throw new Error('no step')
    return last
  }

  async #send({ method, path, headers = {}, body, status }: Step): Promise<Answer> {
    const filled = Object.entries(headers).map(([name, value]) => [name, String(value).replaceAll('{T}', this.#token)])
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const sent = { ...this.common, ...length, ...(Object.fromEntries(filled) as OutgoingHttpHeaders) }
    if (sent['transfer-encoding'] !== undefined) delete sent['content-length']
    const content = body === undefined ? {} : { body }
    if (this.challenged) {
      const refused = await this.gateway.send(method, path, { headers: { ...sent, authorization: '' }, ...content })
      expect(refused.status, `${method} ${path} without a password`).to.equal(401)
      expect(refused.headers['www-authenticate']).to.match(/^Basic realm=/)
      expect(refused.headers['content-length']).to.equal('0')
      // The end of a chunked or large body is not waited for.
      const short = sent['transfer-encoding'] === undefined && Buffer.byteLength(body ?? '') <= 65_536
      if (short) expect(refused.headers.connection ?? 'keep-alive').to.equal('keep-alive')
    }
    const answer = await this.gateway.send(method, path, { headers: sent, ...content })
    const wanted = typeof status === 'number' ? [status] : status
    expect(wanted, `${method} ${path}: ${answer.status} ${answer.body.slice(0, 300)}`).to.include(answer.status)
    if (answer.status === 204 || answer.status === 304) expect(answer.headers).not.to.have.property('content-length')
    this.#token = /^<(.+)>$/.exec(String(answer.headers['lock-token']))?.[1] ?? this.#token
    return answer
  }
}
