import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { clientGone } from './errors.js'

const controllers = new WeakMap<IncomingMessage, AbortController>()
/** One listener per socket, however many requests it carries. */
const pendingBySocket = new WeakMap<Socket, Set<AbortController>>()

/**
 * Fires when the client is gone before the response was sent whole, or when the request is ended by `enderOf`. Every call
 * for one request gives the same signal.
 */
export function signalOf(request: IncomingMessage, response: ServerResponse): AbortSignal {
  return controllerOf(request, response).signal
}

/** Ends the work for the request by its signal, while the client stays: it is told the reason. */
export function enderOf(request: IncomingMessage, response: ServerResponse): (reason: Error) => void {
  const controller = controllerOf(request, response)
  return (reason) => controller.abort(reason)
}

function controllerOf(request: IncomingMessage, response: ServerResponse): AbortController {
  const known = controllers.get(request)
  if (known) return known
  const controller = new AbortController()
  controllers.set(request, controller)
  if (request.socket.destroyed) {
    controller.abort(clientGone())
    return controller
  }
  const pending = pendingOn(request.socket)
  pending.add(controller)
  response.once('close', () => {
    pending.delete(controller)
    if (!response.writableFinished) controller.abort(clientGone())
  })
  return controller
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
