import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { clientGone } from './errors.js'

const signals = new WeakMap<IncomingMessage, AbortSignal>()
/** One listener per socket, however many requests it carries. */
const pendingBySocket = new WeakMap<Socket, Set<AbortController>>()

/** Fires when the client is gone before the response was sent whole. Every call for one request gives the same signal. */
export function signalOf(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const known = signals.get(request)
  if (known) return known
  const controller = new AbortController()
  signals.set(request, controller.signal)
  if (request.socket.destroyed) {
    controller.abort(clientGone())
    return controller.signal
  }
  const pending = pendingOn(request.socket)
  pending.add(controller)
  response.once('close', () => {
    pending.delete(controller)
    if (!response.writableFinished) controller.abort(clientGone())
  })
  return controller.signal
}

/** A pipelined response has no socket of its own yet and would not hear it close. */
function pendingOn(socket: Socket): Set<AbortController> {
  let pending = pendingBySocket.get(socket)
  if (!pending) {
    const created = new Set<AbortController>()
    socket.once('close', () => {
      for (const controller of created) controller.abort(clientGone())
      created.clear()
    })
    pendingBySocket.set(socket, created)
    pending = created
  }
  return pending
}
