import { expect } from 'chai'
import { Connections } from '../../src/storage/connections.js'
import { StorageError } from '../../src/storage/errors.js'
import { settled } from '../support/manual-clock.js'
import { PoolBench, type Held } from './pool-bench.js'
import { account, Gate } from './scripted-driver.js'

const anna = account('anna')
const berta = account('berta')

describe('connecting', () => {
  let bench: PoolBench

  beforeEach(() => {
    bench = new PoolBench()
  })

  afterEach(() => bench.connections.close())

  /** Starts `count` uses of `who` at the same moment. */
  async function crowd(count: number, who = anna): Promise<Held[]> {
    const crowd = Array.from({ length: count }, (_, i) => bench.start(`${i + 1}`, who))
    await settled()
    return crowd
  }

  function states(crowd: Held[]): string[] {
    return [...new Set(crowd.map(({ state }) => state))]
  }

  describe('with a secret that the server rejects', () => {
    beforeEach(() => {
      bench.driver.answer = (_, username) => (username === 'anna' ? 'LOGIN_REJECTED' : 'ok')
    })

    it('makes one attempt for a hundred requests', async () => {
      expect(states(await crowd(100))).to.deep.equal(['LOGIN_REJECTED'])
      expect(bench.driver.attempts).to.equal(1)
    })

    it('makes at most one attempt in fifteen minutes, so that a mended login works again', async () => {
      await bench.once(anna)
      await bench.clock.advance(899_999)
      expect(await bench.once(anna)).to.equal('LOGIN_REJECTED')
      expect(bench.driver.attempts).to.equal(1)
      await bench.clock.advance(1)
      expect(states(await crowd(100))).to.deep.equal(['LOGIN_REJECTED'])
      await bench.clock.advance(899_999)
      await bench.once(anna)
      expect(bench.driver.attempts).to.equal(2)
      await bench.clock.advance(1)
      bench.driver.answer = () => 'ok'
      expect(await bench.once(anna)).to.equal('done')
    })

    it('makes none at all for a login without a secret', async () => {
      const login = { username: 'berta' }
      expect(await bench.once({ ...berta, login })).to.equal('LOGIN_REJECTED')
      expect(bench.driver.attempts).to.equal(0)
    })

    it('tries another secret at once', async () => {
      await bench.once(anna)
      bench.driver.answer = () => 'ok'
      expect(await bench.once(account('anna', { secret: 2 }))).to.equal('done')
    })

    it('tries once more when it is forgiven', async () => {
      await bench.once(anna)
      bench.connections.forgive(anna.key)
      expect(states(await crowd(10))).to.deep.equal(['LOGIN_REJECTED'])
      expect(bench.driver.attempts).to.equal(2)
      bench.connections.forgive(anna.key)
      bench.driver.answer = () => 'ok'
      expect(await bench.once(anna)).to.equal('done')
    })

    it('does not forgive an account whose key begins alike', async () => {
      bench.driver.answer = () => 'LOGIN_REJECTED'
      await bench.once(account('anna', { secret: 12 }))
      bench.connections.forgive(account('anna', { secret: 1 }).key)
      await bench.once(account('anna', { secret: 12 }))
      expect(bench.driver.attempts).to.equal(1)
    })

    it('disturbs no other account of the server, and the server counts as up', async () => {
      for (let i = 0; i < 5; i++) await bench.once(account('anna', { secret: i }))
      expect(await bench.once(berta)).to.equal('done')
      expect(bench.connections.state(1).state).to.equal('up')
    })

    it('makes one attempt when the secret was changed on the server while connections were open', async () => {
      bench.driver.answer = (attempt) => (attempt <= 2 ? 'ok' : 'LOGIN_REJECTED')
      const lent = await crowd(2)
      expect(states(lent)).to.deep.equal(['working'])
      await lent[0]?.end()
      const late = await crowd(100)
      expect(states(late.slice(1))).to.deep.equal(['LOGIN_REJECTED'])
      expect(bench.driver.attempts).to.equal(3)
      await lent[1]?.end()
      await late[0]?.end()
      expect(bench.driver.open).to.equal(0)
    })
  })

  describe('to a server that fails', () => {
    it('gives the first callers the error itself, then UNAVAILABLE with a time to come back', async () => {
      bench.driver.answer = () => 'UNREACHABLE'
      const answers = []
      for (let i = 0; i < 5; i++) answers.push(await bench.once(anna))
      expect(answers).to.deep.equal(['UNREACHABLE', 'UNREACHABLE', 'UNREACHABLE', 'UNAVAILABLE', 'UNAVAILABLE'])
      expect(bench.driver.attempts).to.equal(3)
      const error = await bench.connections.use(anna, 'metadata', () => Promise.resolve()).catch((e: unknown) => e)
      expect(error).to.include({ retryAfterSeconds: 1 })
    })

    it('works again after a pause, with one probe', async () => {
      bench.driver.answer = () => 'TIMED_OUT'
      for (let i = 0; i < 3; i++) await bench.once(anna)
      expect(bench.connections.state(1)).to.include({ state: 'down' })
      await bench.clock.advance(1_000)
      const gate = new Gate<'ok'>()
      bench.driver.answer = () => gate.promise
      const probe = await bench.hold('probe', anna)
      const other = await bench.hold('other', berta)
      expect([probe.state, other.state]).to.deep.equal(['waiting', 'UNAVAILABLE'])
      gate.open('ok')
      await settled()
      expect(probe.state).to.equal('working')
      expect(bench.connections.state(1)).to.include({ state: 'up' })
      expect(await bench.once(berta)).to.equal('done')
    })

    it('leaves other servers alone', async () => {
      bench.driver.answer = (_, username) => (username === 'anna' ? 'UNREACHABLE' : 'ok')
      for (let i = 0; i < 4; i++) await bench.once(anna)
      expect(await bench.once(account('berta', { id: 2 }))).to.equal('done')
    })

    it('lets all who wait fail together with the connect that they wait for', async () => {
      const blackHole = new Gate<'TIMED_OUT'>()
      bench.driver.answer = () => blackHole.promise
      const early = await crowd(10)
      await bench.clock.advance(4_000)
      const late = await crowd(10)
      await bench.clock.advance(5_000)
      expect(states([...early, ...late])).to.deep.equal(['waiting'])
      blackHole.open('TIMED_OUT')
      await settled()
      expect(states([...early, ...late])).to.deep.equal(['TIMED_OUT'])
      expect(bench.driver.attempts).to.equal(1)
    })

    it('has a bounded number of connects under way, whoever asks', async () => {
      bench.driver.answer = () => new Promise(() => undefined)
      for (let i = 0; i < 20; i++)
        await bench.hold(`user ${i}`, account(`user${i}`, { limits: { maxConnections: 50 } }))
      expect(bench.driver.connecting).to.equal(4)
    })

    it('lets those fail too that were waiting for their turn to connect', async () => {
      const blackHole = new Gate<'TIMED_OUT'>()
      bench.driver.answer = () => blackHole.promise
      const crowds = []
      for (let i = 0; i < 20; i++) crowds.push(await bench.hold(`user ${i}`, account(`user${i}`)))
      blackHole.open('TIMED_OUT')
      await settled()
      expect(states(crowds)).to.deep.equal(['TIMED_OUT'])
      expect(bench.driver.attempts).to.equal(4)
    })

    it('lets who has a connection out wait for that one', async () => {
      const first = await bench.hold('1st', anna)
      bench.driver.answer = () => 'UNREACHABLE'
      const second = await bench.hold('2nd', anna)
      expect(second.state).to.equal('waiting')
      await first.end()
      expect(second.state).to.equal('working')
    })

    it('is asked again at once when an admin gave it another address', async () => {
      bench.driver.answer = () => 'UNREACHABLE'
      for (let i = 0; i < 4; i++) await bench.once(anna)
      bench.driver.answer = () => 'ok'
      expect(await bench.once(account('anna', { version: 'v2' }))).to.equal('done')
    })

    it('may not be the trusted one: it is asked again only after pauses', async () => {
      bench.driver.answer = () => 'UNTRUSTED'
      expect(await bench.once(anna)).to.equal('UNTRUSTED')
      expect(await bench.once(berta)).to.equal('UNTRUSTED')
      expect(bench.driver.attempts).to.equal(1)
      await bench.clock.advance(1_000)
      bench.driver.answer = () => 'ok'
      expect(await bench.once(anna)).to.equal('done')
    })

    it('may be a driver that throws something unexpected: the caller gets a storage error', async () => {
      bench.driver.connect = () => Promise.reject(new TypeError('undefined is not a function'))
      expect(await bench.once(anna)).to.equal('PROTOCOL')
    })
  })

  describe('to a server that is fine, with a login that fails there', () => {
    const noHome = new StorageError('PROTOCOL', 'cannot change directory', { reached: true })

    beforeEach(() => {
      bench.driver.answer = (_, username) => (username === 'anna' ? noHome : 'ok')
    })

    for (const code of ['PROTOCOL', 'CONNECTION_LOST', 'UNREACHABLE'] as const) {
      it(`leaves the server open to others (${code})`, async () => {
        const error = new StorageError(code, 'no shell', { reached: true })
        bench.driver.answer = (_, username) => (username === 'anna' ? error : 'ok')
        for (let i = 0; i < 5; i++) {
          expect(await bench.once(anna)).to.equal(code)
          await bench.clock.advance(60_000)
        }
        expect(bench.driver.attempts).to.equal(5)
        expect(bench.connections.state(1)).to.include({ state: 'up' })
        expect(await bench.once(berta)).to.equal('done')
      })
    }

    for (const code of ['PROTOCOL', 'CONNECTION_LOST'] as const) {
      it(`blames the server where it was not reached (${code})`, async () => {
        bench.driver.answer = (_, username) => (username === 'anna' ? code : 'ok')
        for (let i = 0; i < 3; i++) await bench.once(anna)
        expect(await bench.once(berta)).to.equal('UNAVAILABLE')
      })
    }

    it('asks after growing pauses only, up to a minute, and answers the same error meanwhile', async () => {
      expect(states(await crowd(10))).to.deep.equal(['PROTOCOL'])
      let attempts = 1
      for (const pause of [1, 2, 4, 8, 16, 32, 60, 60]) {
        await bench.clock.advance(pause * 1_000 - 1)
        expect(await bench.once(anna)).to.equal('PROTOCOL')
        expect(bench.driver.attempts, `${pause} s`).to.equal(attempts)
        await bench.clock.advance(1)
        expect(await bench.once(anna)).to.equal('PROTOCOL')
        expect(bench.driver.attempts, `${pause} s`).to.equal(++attempts)
      }
    })

    it('starts with the shortest pause again after a success', async () => {
      await bench.once(anna)
      await bench.clock.advance(1_000)
      bench.driver.answer = () => 'ok'
      await bench.once(anna)
      bench.driver.last.hangUp()
      bench.driver.answer = () => noHome
      await bench.once(anna)
      await bench.clock.advance(1_000)
      await bench.once(anna)
      expect(bench.driver.attempts).to.equal(4)
    })

    it('tries once more when a login that had worked broke off without an answer', async () => {
      const lost = new StorageError('CONNECTION_LOST', 'reset', { reached: true })
      bench.driver.answer = (attempt) => (attempt === 2 ? lost : 'ok')
      await bench.once(anna)
      bench.driver.last.hangUp()
      expect(await bench.once(anna)).to.equal('done')
      expect(bench.driver.attempts).to.equal(3)
      bench.driver.last.hangUp()
      bench.driver.answer = () => lost
      expect(await bench.once(anna)).to.equal('CONNECTION_LOST')
      expect(bench.driver.attempts).to.equal(5)
    })

    it('asks at once when it is forgiven', async () => {
      await bench.once(anna)
      bench.driver.answer = () => 'ok'
      expect(await bench.once(anna)).to.equal('PROTOCOL')
      bench.connections.forgive(anna.key)
      expect(await bench.once(anna)).to.equal('done')
    })

    it('takes it for the proof that a server which was down is back', async () => {
      bench.driver.answer = () => 'UNREACHABLE'
      for (let i = 0; i < 3; i++) await bench.once(berta)
      await bench.clock.advance(1_000)
      bench.driver.answer = (_, username) => (username === 'anna' ? noHome : 'ok')
      await bench.once(anna)
      expect(await bench.once(berta)).to.equal('done')
    })

    it('lets who has a connection out wait for that one', async () => {
      bench.driver.answer = (attempt) => (attempt === 1 ? 'ok' : noHome)
      const first = await bench.hold('1st', anna)
      const second = await bench.hold('2nd', anna)
      expect(second.state).to.equal('waiting')
      await first.end()
      expect(second.state).to.equal('working')
    })
  })

  describe('to a server that has enough connections', () => {
    const many = account('anna', { limits: { maxConnectionsPerAccount: 8 } })

    it('keeps to what the server grants, and lets the rest wait', async () => {
      bench.driver.answer = () => (bench.driver.open < 3 ? 'ok' : 'BUSY')
      const ten = await crowd(10, many)
      const working = (): Held[] => ten.filter(({ state }) => state === 'working')
      expect(working()).to.have.length(3)
      expect(bench.driver.attempts).to.equal(4)
      while (working().length > 0) await working()[0]?.end()
      expect(states(ten)).to.deep.equal(['done'])
      expect(bench.driver.attempts).to.equal(4)
    })

    it('asks for more again after five minutes', async () => {
      bench.driver.answer = () => (bench.driver.open < 1 ? 'ok' : 'BUSY')
      const first = await bench.hold('1st', many)
      const second = await bench.hold('2nd', many)
      expect(bench.connections.stats().accounts[0]).to.include({ limit: 1 })
      await bench.clock.advance(299_999)
      expect([first.state, second.state]).to.deep.equal(['working', 'BUSY'])
      bench.driver.answer = () => 'ok'
      await bench.clock.advance(1)
      expect((await bench.hold('3rd', many)).state).to.equal('working')
    })

    it('takes what other accounts do not need', async () => {
      bench.driver.answer = () => (bench.driver.open < 1 ? 'ok' : 'BUSY')
      await bench.once(anna)
      const needy = await bench.hold('needy', berta)
      expect(needy.state).to.equal('waiting')
      expect(bench.connections.stats().servers[0]).to.include({ limit: 1 })
      await bench.clock.advance(1_000)
      expect(needy.state).to.equal('working')
    })

    it('tries again while somebody waits, and says BUSY in the end', async () => {
      bench.driver.answer = () => 'BUSY'
      const held = await bench.hold('stat', anna)
      await bench.clock.advance(4_999)
      expect(held.state).to.equal('waiting')
      expect(bench.driver.attempts).to.equal(5)
      await bench.clock.advance(1)
      expect(held.state).to.equal('BUSY')
      await bench.clock.advance(60_000)
      expect(bench.driver.attempts).to.be.at.most(6)
      expect(bench.connections.state(1).state).to.equal('up')
    })
  })

  it('tells the caller why, and nobody the secret', async () => {
    const lines: string[] = []
    bench.driver.answer = () => 'LOGIN_REJECTED'
    const record = (fields: object, message: string): void => void lines.push(JSON.stringify({ ...fields, message }))
    const connections = new Connections({
      driverFor: () => bench.driver,
      clock: bench.clock,
      log: { info: record, warn: record },
    })
    const error = await connections.use(anna, 'metadata', () => Promise.resolve()).catch((e: unknown) => e)
    expect(error).to.be.instanceOf(StorageError)
    expect(lines.join()).to.include('login rejected').and.not.to.include('secret 1')
    await connections.close()
  })
})
