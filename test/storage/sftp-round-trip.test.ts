import { expect } from 'chai'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { RoundTrips } from '../../src/storage/sftp/round-trip.js'

describe('what is known of the way to a server', () => {
  it('is shared by its connections', () => {
    const roundTrips = new RoundTrips()
    roundTrips.to('one:22', new Socket()).shortest = 3
    expect(roundTrips.to('one:22', new Socket()).shortest).to.equal(3)
    expect(roundTrips.to('another:22', new Socket()).shortest).to.equal(Infinity)
  })

  it('is forgotten with the last of them', async () => {
    const roundTrips = new RoundTrips()
    const sockets = [new Socket(), new Socket()] as const
    for (const socket of sockets) roundTrips.to('one:22', socket).shortest = 3
    await closed(sockets[0])
    expect(roundTrips.to('one:22', sockets[0]).shortest).to.equal(3)
    await closed(sockets[1])
    expect(roundTrips.to('one:22', new Socket()).shortest).to.equal(Infinity)
  })
})

async function closed(socket: Socket): Promise<void> {
  const close = once(socket, 'close')
  socket.destroy()
  await close
}
