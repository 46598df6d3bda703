import { expect } from 'chai'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createDialer } from '../../src/storage/dialer.js'
import { StorageError } from '../../src/storage/errors.js'
import { startBlackHole, type BlackHole } from '../support/black-hole.js'
import { row } from './lab/figures.js'

const ALLOW = ['127.0.0.0/8', '::1/128']

describe('connecting by a name', () => {
  let hole: BlackHole
  let alive: Server
  const sockets = new Set<Socket>()

  before(async () => {
    hole = await startBlackHole()
    // The same port, on another address: where the one is silent, the other serves.
    alive = createServer((socket) => sockets.add(socket.on('error', () => undefined)))
    alive.listen(hole.port, '127.0.0.2')
    await once(alive, 'listening')
  })

  after(async () => {
    for (const socket of sockets) socket.destroy()
    alive?.close()
    await hole?.stop()
  })

  const resolvesTo =
    (...addresses: string[]) =>
    () =>
      Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })))

  row(37, 'a name whose first address is silent is reached by the other within a second', async (notes) => {
    const dial = createDialer({ allow: ALLOW, resolve: resolvesTo('127.0.0.1', '127.0.0.2') })
    const started = performance.now()
    const socket = await dial('dual.example', hole.port, {})
    notes.within('connected after', performance.now() - started, 2_000)
    expect(socket.remoteAddress).to.equal('127.0.0.2')
    socket.destroy()
  })

  row(37, 'a name of which one family is refused or has no route is reached by the other at once', async (notes) => {
    // 100::/64 is the discard prefix of RFC 6666: no route leads there, or nobody answers.
    for (const dead of ['::1', '100::1']) {
      const dial = createDialer({ allow: [...ALLOW, '100::/64'], resolve: resolvesTo(dead, '127.0.0.2') })
      const started = performance.now()
      const socket = await dial('dual.example', hole.port, {})
      notes.within(`${dead}: connected after`, performance.now() - started, 2_000)
      socket.destroy()
    }
  })

  row(36, 'a name that is resolved anew to a forbidden address is refused', async () => {
    const answers = [['127.0.0.2'], ['169.254.169.254'], ['::ffff:169.254.169.254']]
    const resolve = () => resolvesTo(...(answers.shift() ?? []))()
    const dial = createDialer({ allow: ALLOW, resolve })
    const good = await dial('rebinding.example', hole.port, {})
    good.destroy()
    for (let i = 0; i < 2; i++) {
      const error: unknown = await dial('rebinding.example', hole.port, {}).catch((thrown: unknown) => thrown)
      expect(error).to.be.instanceOf(StorageError).with.property('code', 'UNREACHABLE')
    }
  })

  row(36, 'a name whose resolver does not answer is given up with the deadline', async (notes) => {
    const dial = createDialer({ allow: ALLOW, connectTimeout: 300, resolve: () => new Promise(() => undefined) })
    const started = performance.now()
    const error: unknown = await dial('slow.example', (alive.address() as AddressInfo).port, {}).catch(
      (thrown: unknown) => thrown,
    )
    notes.within('given up after', performance.now() - started, 300 + 2_000)
    expect(error).to.be.instanceOf(StorageError).with.property('code', 'TIMED_OUT')
  })
})
