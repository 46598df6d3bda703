import { VfsError } from './errors.js'
import type { Call } from './tree.js'

/** A call that can be ended from outside. */
export type EndableCall = Call & Required<Pick<Call, 'end'>>

/**
 * Runs `work` as a call whose signal fires when the caller's does or when it is ended from outside; in the latter case the
 * reason given there is thrown, whatever `work` made of it. A call that brings its own end has a signal that does both.
 */
export async function endable<T>(call: Call, work: (call: EndableCall) => Promise<T>): Promise<T> {
  if (!isEndable(call)) return withOwnSignal(call, (own) => endable(own, work))
  try {
    return await work(call)
  } catch (error) {
    const reason: unknown = call.signal.reason
    throw reason instanceof VfsError ? reason : error
  }
}

function isEndable(call: Call): call is EndableCall {
  return call.end !== undefined
}

async function withOwnSignal<T>(call: Call, work: (call: EndableCall) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const { signal } = controller
  const forward = () => controller.abort(call.signal.reason)
  if (call.signal.aborted) forward()
  else call.signal.addEventListener('abort', forward, { once: true })
  try {
    return await work({ ...call, signal, end: (reason) => controller.abort(reason) })
  } finally {
    call.signal.removeEventListener('abort', forward)
  }
}
