import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { HttpError } from '../../http/errors.js'

/** Counts the requests of each user, however they are made. */
export class RateLimit {
  readonly #limiter: RateLimiterMemory

  constructor(perMinute: number) {
    this.#limiter = new RateLimiterMemory({ points: perMinute, duration: 60 })
  }

  /** @throws HttpError 429 */
  async count(userId: number): Promise<void> {
    try {
      await this.#limiter.consume(userId)
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error
      const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000))
      throw new HttpError(429, 'TOO_MANY_REQUESTS', `Too many requests. Try again in ${seconds} seconds.`, {
        headers: { 'Retry-After': String(seconds) },
        cause: undefined,
      })
    }
  }
}
