import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { KeptWith } from '../heap/kept-with.js'
import { Slots } from '../heap/slots.js'

/** One listener per socket, however many requests it carries. */
const endsBySocket = new KeptWith<Socket, Slots<() => void>>('ends')

/**
 * Calls `listener` once, when the response was sent whole (`response.writableFinished`) or its connection is gone. A
 * pipelined response has no socket of its own until its turn comes, and never hears that one close before.
 */
export function onRequestEnd(request: IncomingMessage, response: ServerResponse, listener: () => void): void {
  const { socket } = request
  const ends = endsOn(socket)
  let over = false
  const end = () => {
    if (over) return
    over = true
    ends.remove(slot)
    listener()
  }
  const slot = ends.add(end)
  response.once('close', end)
  if (socket.closed) process.nextTick(end)
}

function endsOn(socket: Socket): Slots<() => void> {
  const known = endsBySocket.get(socket)
  if (known) return known
  const ends = new Slots<() => void>()
  endsBySocket.set(socket, ends)
  socket.once('close', () => {
    for (const end of [...ends]) end()
  })
  return ends
}
