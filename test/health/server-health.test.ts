import { expect } from 'chai'
import type { StoredSample } from '../../src/db/stores/health-store.js'
import { ServerHealth, type ServerHealthOptions, type WatchedServer } from '../../src/health/server-health.js'
import { createLogger } from '../../src/logger.js'
import type { ServerState } from '../../src/storage/account.js'
import type { ConnectionEvent } from '../../src/storage/connection-events.js'
import { StorageError, type StorageErrorCode } from '../../src/storage/errors.js'
import { ManualClock } from '../support/manual-clock.js'

const MINUTE = 60_000
const SERVER: WatchedServer = {
  id: 1,
  alias: 's1',
  protocol: 'ftp',
  host: 'h',
  port: 21,
  enabled: true,
  version: 1,
  permitted: true,
}
const DOWN: ServerState = { state: 'down', since: 0, reason: 'r', retryAt: 0 }

describe('ServerHealth', () => {
  let clock: ManualClock
  let servers: WatchedServer[]
  let probed: string[]
  let answer: () => Promise<number>
  let samples: StoredSample[]
  let health: ServerHealth

  beforeEach(() => {
    clock = new ManualClock()
    servers = [SERVER]
    probed = []
    answer = () => Promise.resolve(20)
    samples = []
  })
  afterEach(() => health.stop())

  async function start(options: Partial<ServerHealthOptions> = {}): Promise<void> {
    health = new ServerHealth({
      servers: () => Promise.resolve(servers),
      probe: ({ alias }) => {
        probed.push(alias)
        return answer()
      },
      store: {
        save: (saved, oldest) => {
          samples = [...samples, ...saved].filter(({ at }) => at >= oldest)
          return Promise.resolve()
        },
        of: (id, from) => Promise.resolve(samples.filter(({ serverId, at }) => serverId === id && at >= from)),
      },
      clock,
      log: createLogger({ level: 'silent' }),
      probeEvery: 5 * MINUTE,
      slowAfter: 3000,
      ...options,
    })
    await health.start()
  }

  const about = { serverId: 1, alias: 's1', accountKey: 'k' }
  const connected = (took = 30): ConnectionEvent => ({ ...about, kind: 'connected', took })
  const failed = (
    code: StorageErrorCode,
    state: ServerState = DOWN,
    blames: 'server' | 'secret' | 'limit' | 'login' | 'account' = 'server',
  ): ConnectionEvent => ({
    ...about,
    kind: 'connect-failed',
    took: 5,
    error: new StorageError(code, 'x'),
    blames,
    state,
  })

  it('knows nothing at first, and connects to nothing at the start', async () => {
    await start()
    expect(health.of(1)).to.deep.equal({ state: 'unknown' })
    expect(health.of(4711)).to.deep.equal({ state: 'unknown' })
    await clock.advance(5000)
    expect(probed).to.deep.equal([])
  })

  it('asks a server soon after the start, then whenever nothing was heard of it for five minutes', async () => {
    await start()
    await clock.advance(MINUTE)
    expect(probed).to.have.length(1)
    expect(health.of(1)).to.include({ state: 'up', latencyMs: 20 })
    await clock.advance(5 * MINUTE)
    expect(probed).to.have.length(2)
    for (let index = 0; index < 10; index++) {
      health.onConnection(connected())
      await clock.advance(4 * MINUTE)
    }
    expect(probed, 'users connect').to.have.length(2)
  })

  const silent: [what: string, changes: Partial<WatchedServer>][] = [
    ['a disabled server', { enabled: false }],
    ['a server that nobody may use', { permitted: false }],
  ]
  for (const [what, changes] of silent) {
    it(`does not ask ${what}, until that changes`, async () => {
      servers = [{ ...SERVER, ...changes }]
      await start()
      await clock.advance(20 * MINUTE)
      expect(probed).to.deep.equal([])
      servers = [SERVER]
      await health.refresh()
      await clock.advance(MINUTE)
      expect(probed).to.have.length(1)
    })
  }

  it('asks nobody when probes are off', async () => {
    await start({ probeEvery: 0 })
    await clock.advance(60 * MINUTE)
    expect(probed).to.deep.equal([])
    health.onConnection(connected())
    expect(health.of(1)).to.include({ state: 'up' })
  })

  it('shows a disabled server as that, and knows the rest when it is back', async () => {
    await start()
    health.onConnection(connected())
    servers = [{ ...SERVER, enabled: false }]
    await health.refresh()
    expect(health.of(1)).to.deep.equal({ state: 'disabled' })
    servers = [SERVER]
    await health.refresh()
    expect(health.of(1)).to.include({ state: 'up' })
  })

  it('goes from up to slow to down and back, with when and why', async () => {
    await start()
    const states: unknown[] = []
    const look = () => {
      const { state, since, reason } = health.of(1)
      states.push([state, since?.getTime() === clock.now(), reason])
    }
    const events = [connected(), connected(), connected(4000), failed('UNREACHABLE'), failed('TIMED_OUT'), connected()]
    for (const event of events) {
      await clock.advance(1000)
      health.onConnection(event)
      look()
    }
    expect(states).to.deep.equal([
      ['up', true, undefined],
      ['up', false, undefined],
      ['slow', true, undefined],
      ['down', true, 'UNREACHABLE'],
      ['down', false, 'TIMED_OUT'],
      ['up', true, undefined],
    ])
    expect(health.of(1).lastOkAt?.getTime()).to.equal(clock.now())
  })

  it('takes a server that refuses a login, or has enough connections, for up', async () => {
    await start()
    for (const event of [failed('LOGIN_REJECTED', DOWN, 'secret'), failed('BUSY', DOWN, 'limit')]) {
      health.onConnection(event)
      expect(health.of(1)).to.include({ state: 'up' })
    }
  })

  it('concludes nothing from a connect that was given up, or from one failure', async () => {
    await start()
    health.onConnection(failed('ABORTED', DOWN, 'account'))
    health.onConnection(failed('UNREACHABLE', { state: 'unknown' }))
    expect(health.of(1)).to.deep.equal({ state: 'unknown' })
  })

  it('asks a server that is down every half minute, and sees it come back', async () => {
    answer = () => Promise.reject(new StorageError('UNREACHABLE', 'x'))
    await start()
    await clock.advance(20_000)
    expect(health.of(1)).to.include({ state: 'down', reason: 'UNREACHABLE' })
    answer = () => Promise.resolve(10)
    await clock.advance(35_000)
    expect(health.of(1)).to.include({ state: 'up' })
  })

  it('does not take the greeting of a server that is not the trusted one for an answer', async () => {
    await start()
    health.onConnection(failed('UNTRUSTED'))
    await clock.advance(5 * MINUTE)
    expect(probed).not.to.deep.equal([])
    expect(health.of(1)).to.include({ state: 'down', reason: 'UNTRUSTED' })
    health.onConnection(connected())
    expect(health.of(1)).to.include({ state: 'up' })
  })

  it('begins anew when a server became another one, and forgets one that is gone', async () => {
    await start()
    health.onConnection(failed('UNTRUSTED'))
    servers = [{ ...SERVER, version: 2 }]
    await health.refresh()
    expect(health.of(1)).to.deep.equal({ state: 'unknown' })
    servers = []
    await health.refresh()
    expect([...health.all().keys()]).to.deep.equal([])
  })

  it('keeps a sample of each five minutes: the worst state and the mean', async () => {
    await start({ probeEvery: 0 })
    await clock.advance(5 * MINUTE - (clock.now() % (5 * MINUTE)) + 5000)
    health.onConnection(connected(100))
    health.onConnection(failed('UNREACHABLE'))
    health.onConnection(connected(200))
    await clock.advance(5 * MINUTE)
    health.onConnection(connected(50))
    const history = (await health.history(1)).slice(-2)
    expect(history.map(({ state, latencyMs }) => [state, latencyMs])).to.deep.equal([
      ['down', 150],
      ['up', 50],
    ])
    expect(history.map(({ at }) => at.getTime() % (5 * MINUTE))).to.deep.equal([0, 0])
  })

  it('keeps 24 hours of them', async () => {
    await start()
    await clock.advance(26 * 60 * MINUTE)
    const history = await health.history(1)
    expect(history.length).to.be.within(287, 290)
    expect(samples.length).to.be.within(287, 290)
  })

  it('gives up the probes under way when it stops, and keeps what it has', async () => {
    let stopped = false
    await start({
      probe: (_, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            stopped = true
            reject(new StorageError('ABORTED', 'x'))
          })
        }),
    })
    await clock.advance(20_000)
    await health.stop()
    expect(stopped).to.equal(true)
    expect(samples).to.have.length(1)
    expect(health.of(1)).to.deep.equal({ state: 'unknown' })
  })
})
