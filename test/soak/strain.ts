import { readFileSync } from 'node:fs'
import type { GatewayProcess } from '../support/gateway.js'

const EVERY = 250

/**
 * How long the gateway stood in line for a processor, and how late this process is, which carries every byte to the servers:
 * on a machine that has no time for them, deadlines pass without anybody's fault.
 */
export class Strain {
  readonly #held: { readonly at: number; readonly ms: number }[] = []
  #due = performance.now() + EVERY
  #before = { pid: 0, waited: 0 }
  readonly #timer = setInterval(() => this.#look(), EVERY)

  constructor(private readonly gateway: GatewayProcess) {}

  /** Milliseconds that either was held up in a time. */
  within(start: number, end: number): number {
    return this.#held.reduce((sum, { at, ms }) => (at >= start && at - EVERY - ms <= end ? sum + ms : sum), 0)
  }

  /** Milliseconds in all. */
  get total(): number {
    return this.within(0, Infinity)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    const late = Math.max(0, now - this.#due)
    this.#due = now + EVERY
    const before = this.#before
    this.#before = waitedFor(this.gateway)
    const waited = this.#before.pid === before.pid ? this.#before.waited - before.waited : 0
    const ms = Math.max(late, waited)
    if (ms > EVERY / 5) this.#held.push({ at: now, ms })
  }
}

/** @returns its process, and the ms that its main thread was ready to run and did not; 0 where the system does not tell */
export function waitedFor(gateway: GatewayProcess): { pid: number; waited: number } {
  try {
    const { pid } = gateway
    return { pid, waited: Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6 }
  } catch {
    return { pid: 0, waited: 0 }
  }
}
