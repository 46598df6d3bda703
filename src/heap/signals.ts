/**
 * A signal that is fired by who made it, as that of an AbortController is. For what there are many of: Node gives each
 * signal of a controller a hidden class of its own, so that one that is listened to five times costs 14 µs instead of 2, and
 * 800 bytes that stay until the whole heap is collected (Node 20). Whatever takes an AbortSignal takes it, but
 * `AbortSignal.any`: see `anyOf`.
 */
export class OwnSignal extends EventTarget implements AbortSignal {
  aborted = false
  reason: unknown = undefined
  onabort: AbortSignal['onabort'] = null
  #native: AbortController | undefined

  abort(reason: Error): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    const event = new Event('abort')
    this.onabort?.(event)
    this.dispatchEvent(event)
    this.#native?.abort(reason)
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason
  }

  /** A signal of Node's that fires with this one. */
  get native(): AbortSignal {
    if (this.#native === undefined) {
      this.#native = new AbortController()
      if (this.aborted) this.#native.abort(this.reason)
    }
    return this.#native.signal
  }
}

/** As `AbortSignal.any`, for signals of either kind. */
export function anyOf(...signals: readonly AbortSignal[]): AbortSignal {
  // eslint-disable-next-line no-restricted-syntax -- the place that it is for
  return AbortSignal.any(signals.map((signal) => (signal instanceof OwnSignal ? signal.native : signal)))
}
