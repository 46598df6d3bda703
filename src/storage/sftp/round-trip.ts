import type { Socket } from 'node:net'

/** The shortest time in which a server answered so far, ms; Infinity before the first measurement. */
export interface RoundTrip {
  shortest: number
}

/**
 * What is known of the way to each server that somebody is connected to. Connections share it: one that was opened while
 * the program was busy has measured the program, and a server nearby must not look far away.
 */
export class RoundTrips {
  readonly #known = new Map<string, { readonly roundTrip: RoundTrip; sockets: number }>()

  /** Kept as long as one of the sockets is open. */
  to(server: string, socket: Socket): RoundTrip {
    const known = this.#known.get(server) ?? { roundTrip: { shortest: Infinity }, sockets: 0 }
    if (socket.closed) return known.roundTrip
    this.#known.set(server, known)
    known.sockets++
    socket.once('close', () => {
      known.sockets--
      if (known.sockets === 0) this.#known.delete(server)
    })
    return known.roundTrip
  }
}
