import type { Socket } from 'node:net'

/**
 * RST at once. `resetAndDestroy` of Node sends FIN first, which a reader may take for a clean end; and in the middle of a
 * shutdown libuv refuses a reset, for which Node then waits for ever.
 */
export function reset(socket: Socket): void {
  if (!socket.writableEnded && !socket.connecting) Object.assign(socket, { resetAndClosing: true })
  socket.destroy()
}
