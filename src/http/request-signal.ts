import type { IncomingMessage, ServerResponse } from 'node:http'
import { KeptWith } from '../heap/kept-with.js'
import { OwnSignal } from '../heap/signals.js'
import { clientGone } from './errors.js'
import { onRequestEnd } from './request-end.js'

const signals = new KeptWith<IncomingMessage, OwnSignal>('signal')

/**
 * Fires when the client is gone before the response was sent whole, or when the request is ended by `enderOf`. Every call
 * for one request gives the same signal.
 */
export function signalOf(request: IncomingMessage, response: ServerResponse): AbortSignal {
  return ownSignalOf(request, response)
}

/** Ends the work for the request by its signal, while the client stays: it is told the reason. */
export function enderOf(request: IncomingMessage, response: ServerResponse): (reason: Error) => void {
  const signal = ownSignalOf(request, response)
  return (reason) => signal.abort(reason)
}

function ownSignalOf(request: IncomingMessage, response: ServerResponse): OwnSignal {
  const known = signals.get(request)
  if (known) return known
  const signal = new OwnSignal()
  signals.set(request, signal)
  const onEnd = () => {
    if (!response.writableFinished) signal.abort(clientGone())
  }
  if (request.socket.destroyed) signal.abort(clientGone())
  else onRequestEnd(request, response, onEnd)
  return signal
}
