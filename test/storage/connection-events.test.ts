import { expect } from 'chai'
import { settled } from '../support/manual-clock.js'
import { PoolBench } from './pool-bench.js'
import { account } from './scripted-driver.js'

const anna = account('anna')

describe('what the pools tell', () => {
  let bench: PoolBench

  beforeEach(() => {
    bench = new PoolBench()
  })
  afterEach(() => bench.connections.close())

  const told = () =>
    bench.events.map((event) => {
      if (event.kind === 'connect-failed') return `${event.error.code} blames ${event.blames}, ${event.state.state}`
      return event.kind === 'lent' ? `lent after ${event.waited}` : `connected in ${event.took}`
    })

  it('is each connect, and how long each operation waited', async () => {
    await bench.once(anna)
    await bench.once(anna)
    expect(told()).to.deep.equal(['connected in 0', 'lent after 0', 'lent after 0'])
    expect(bench.events[0]).to.include({ accountKey: anna.key, serverId: anna.server.id, alias: anna.server.alias })
  })

  it('counts the time in line', async () => {
    const limited = account('anna', { limits: { maxConnectionsPerAccount: 1 } })
    const first = await bench.hold('1', limited)
    const second = bench.start('2', limited)
    await bench.clock.advance(40)
    await first.end()
    await settled()
    await second.end()
    expect(told()).to.deep.equal(['connected in 0', 'lent after 0', 'lent after 40'])
  })

  it('is whose fault a failure was, and what is thought of the server then', async () => {
    bench.driver.answer = () => 'LOGIN_REJECTED'
    await bench.once(anna)
    bench.driver.answer = () => 'UNREACHABLE'
    for (let index = 0; index < 4; index++) await bench.once(account('berta'))
    expect(told()).to.deep.equal([
      'LOGIN_REJECTED blames secret, up',
      'UNREACHABLE blames server, up',
      'UNREACHABLE blames server, up',
      'UNREACHABLE blames server, down',
    ])
  })
})
