import { expect } from 'chai'
import { StorageError } from '../../src/storage/errors.js'
import { settled } from '../support/manual-clock.js'
import { PoolBench } from './pool-bench.js'
import { account, Gate, lost } from './scripted-driver.js'

const anna = account('anna')

describe('connections', () => {
  let bench: PoolBench

  beforeEach(() => {
    bench = new PoolBench()
  })

  afterEach(() => bench.connections.close())

  describe('lending', () => {
    it('connects when a connection is needed, and not before', async () => {
      expect(bench.order).to.deep.equal([])
      await bench.once(anna)
      expect(bench.order).to.deep.equal(['connect anna#1'])
    })

    it('uses a connection again', async () => {
      await bench.once(anna)
      await bench.once(anna)
      expect(bench.driver.attempts).to.equal(1)
    })

    it('remembers where the login landed without connecting again', async () => {
      expect(await bench.connections.home(anna)).to.equal('/home/anna')
      bench.connections.retire({ accountKey: anna.key })
      expect(await bench.connections.home(anna)).to.equal('/home/anna')
      expect(bench.driver.attempts).to.equal(1)
    })

    it('does not share connections between accounts, secrets or versions of a server', async () => {
      await bench.once(anna)
      await bench.once(account('berta'))
      await bench.once(account('anna', { secret: 2 }))
      await bench.once(account('anna', { version: 'v2' }))
      expect(bench.driver.attempts).to.equal(4)
    })

    it('closes the connection when the work failed out of step', async () => {
      const held = await bench.hold('list', anna)
      await held.end(new StorageError('TIMED_OUT', 'no answer'))
      expect(bench.order).to.deep.equal(['connect anna#1', 'list works', 'close anna#1', 'list TIMED_OUT'])
    })

    it('keeps it when the work failed in step', async () => {
      const held = await bench.hold('stat', anna)
      await held.end(new StorageError('NOT_FOUND', 'no such file', { inStep: true }))
      expect(bench.order).to.deep.equal(['connect anna#1', 'stat works', 'stat NOT_FOUND'])
    })
  })

  describe('bounds', () => {
    it('opens no more than an account may have, and serves in the order of arrival', async () => {
      const two = account('anna', { limits: { maxConnectionsPerAccount: 2 } })
      const first = await bench.hold('1st', two)
      const second = await bench.hold('2nd', two)
      await bench.hold('3rd', two)
      await bench.hold('4th', two)
      bench.takeOrder()
      await second.end()
      await first.end()
      expect(bench.takeOrder()).to.deep.equal(['2nd done', '3rd works', '1st done', '4th works'])
      expect(bench.driver.attempts).to.equal(2)
    })

    it('opens no more than a server may have', async () => {
      const limits = { maxConnections: 2 }
      const first = await bench.hold('anna', account('anna', { limits }))
      await bench.hold('berta', account('berta', { limits }))
      await bench.hold('carla', account('carla', { limits }))
      bench.takeOrder()
      await first.end()
      expect(bench.takeOrder()).to.deep.equal(['close anna#1', 'connect carla#3', 'anna done', 'carla works'])
      expect(bench.driver.mostOpen).to.equal(2)
    })

    it('closes an idle connection of another account to make room', async () => {
      const limits = { maxConnections: 1 }
      await bench.once(account('anna', { limits }))
      await bench.once(account('berta', { limits }))
      expect(bench.order).to.deep.equal(['connect anna#1', 'close anna#1', 'connect berta#2'])
    })

    it('gives the place of a busy account to one that has none and waited longer', async () => {
      const limits = { maxConnections: 1 }
      const first = await bench.hold('anna 1', account('anna', { limits }))
      const needy = await bench.hold('berta', account('berta', { limits }))
      await bench.hold('anna 2', account('anna', { limits }))
      bench.takeOrder()
      await first.end()
      expect(bench.takeOrder()).to.include('berta works')
      await needy.end()
      expect(bench.takeOrder()).to.include('anna 2 works')
    })

    it('does not let servers share their bounds', async () => {
      const limits = { maxConnections: 1 }
      await bench.hold('one', account('anna', { id: 1, limits }))
      const other = await bench.hold('two', account('anna', { id: 2, limits }))
      expect(other.state).to.equal('working')
    })

    it('answers BUSY with a time to come back when nothing came free in time', async () => {
      const one = account('anna', { limits: { maxConnectionsPerAccount: 1 } })
      await bench.hold('1st', one)
      const error = bench.connections.use(one, 'metadata', () => Promise.resolve()).catch((thrown: unknown) => thrown)
      await bench.clock.advance(4_999)
      expect(bench.connections.stats().accounts[0]).to.include({ open: 1, lent: 1, waiting: 1 })
      await bench.clock.advance(1)
      expect(await error).to.include({ code: 'BUSY', retryAfterSeconds: 5 })
      expect(bench.connections.stats().accounts[0]).to.include({ open: 1, lent: 1, waiting: 0 })
    })

    it('refuses at once when too many wait already', async () => {
      bench = new PoolBench({ queue: 2 })
      const one = account('anna', { limits: { maxConnectionsPerAccount: 1 } })
      await bench.hold('1st', one)
      await bench.hold('2nd', one)
      await bench.hold('3rd', one)
      expect((await bench.hold('4th', one)).state).to.equal('BUSY')
    })

    it('lets go who stops waiting', async () => {
      const one = account('anna', { limits: { maxConnectionsPerAccount: 1 } })
      const first = await bench.hold('1st', one)
      const controller = new AbortController()
      await bench.hold('2nd', one, 'metadata', { signal: controller.signal })
      await bench.hold('3rd', one)
      bench.takeOrder()
      controller.abort()
      await first.end()
      expect(bench.takeOrder()).to.deep.equal(['2nd ABORTED', '1st done', '3rd works'])
    })
  })

  describe('transfers', () => {
    it('never take the last connection of an account: a listing passes those that wait', async () => {
      const two = account('anna', { limits: { maxConnectionsPerAccount: 2 } })
      const long = await bench.hold('transfer 1', two, 'transfer')
      await bench.hold('transfer 2', two, 'transfer')
      const listing = await bench.hold('listing', two)
      await listing.end()
      expect(bench.takeOrder()).to.deep.equal([
        'connect anna#1',
        'connect anna#2',
        'transfer 1 works',
        'listing works',
        'listing done',
      ])
      await long.end()
      expect(bench.takeOrder()).to.deep.equal(['transfer 1 done', 'transfer 2 works'])
    })

    it('may take the only connection of an account that has one', async () => {
      const one = account('anna', { limits: { maxConnectionsPerAccount: 1 } })
      expect((await bench.hold('transfer', one, 'transfer')).state).to.equal('working')
    })

    it('of many accounts leave one connection of the server to the others', async () => {
      const limits = { maxConnections: 3 }
      for (const name of ['anna', 'berta', 'carla']) await bench.hold(name, account(name, { limits }), 'transfer')
      const listing = await bench.hold('listing', account('dora', { limits }))
      const own = await bench.hold('own listing', account('anna', { limits }))
      expect(listing.state).to.equal('working')
      await listing.end()
      expect(own.state).to.equal('working')
      expect(bench.order).not.to.include('carla works')
    })
  })

  describe('one connection ahead', () => {
    it('is opened when a transfer takes the last idle one, and not for what is short', async () => {
      await bench.once(anna)
      expect(bench.driver.attempts).to.equal(1)
      await bench.hold('1st', anna, 'transfer')
      expect(bench.driver.attempts).to.equal(2)
      const short = await bench.hold('listing', anna)
      expect(short.state).to.equal('working')
      expect(bench.driver.attempts).to.equal(2)
    })

    it('is one at a time, and none beyond what the account may have', async () => {
      const slow = new Gate<'ok'>()
      bench.driver.answer = (attempt) => (attempt === 2 ? slow.promise : 'ok')
      const three = account('anna', { limits: { maxConnectionsPerAccount: 3 } })
      await bench.hold('1st', three, 'transfer')
      await bench.hold('2nd', three, 'transfer')
      expect(bench.driver.attempts).to.equal(2)
      slow.open('ok')
      await settled()
      await bench.hold('3rd', three)
      expect([bench.driver.attempts, bench.driver.mostConnecting]).to.deep.equal([3, 1])
    })

    it('is none beyond what the server may have, and closes nobody else’s', async () => {
      const limits = { maxConnections: 3 }
      await bench.once(account('berta', { limits }))
      await bench.once(account('carla', { limits }))
      await bench.hold('1st', account('anna', { limits }), 'transfer')
      expect(bench.order.filter((line) => !line.includes('works'))).to.deep.equal([
        'connect berta#1',
        'connect carla#2',
        'connect anna#3',
      ])
    })

    it('is none for a server that has enough, or is down', async () => {
      bench.driver.answer = (attempt) => (attempt === 1 ? 'ok' : 'BUSY')
      const first = await bench.hold('1st', anna, 'transfer')
      expect(bench.driver.attempts).to.equal(2)
      const second = await bench.hold('2nd', anna, 'transfer')
      await bench.clock.advance(4_000)
      await first.end()
      expect([second.state, bench.driver.attempts]).to.deep.equal(['working', 2])
    })

    it('goes when it was idle for too long', async () => {
      const long = await bench.hold('1st', anna, 'transfer')
      await bench.clock.advance(75_000)
      expect([long.state, bench.driver.open, bench.driver.attempts]).to.deep.equal(['working', 1, 2])
    })

    it('is none of SFTP', async () => {
      const { server, ...rest } = anna
      const endpoint = { ...server.endpoint, protocol: 'sftp' } as const
      await bench.hold('1st', { ...rest, server: { ...server, endpoint } }, 'transfer')
      expect(bench.driver.attempts).to.equal(1)
    })
  })

  describe('connections that died', () => {
    it('are replaced silently when the server hung up', async () => {
      await bench.once(anna)
      bench.driver.last.hangUp()
      expect(await bench.once(anna)).to.equal('done')
      expect(bench.driver.attempts).to.equal(2)
    })

    it('are found by a sign of life that is asked for after an idle spell', async () => {
      await bench.once(anna)
      await bench.clock.advance(29_999)
      await bench.once(anna)
      expect(bench.driver.last.pings).to.equal(0)
      await bench.clock.advance(30_000)
      await bench.once(anna)
      expect(bench.driver.last.pings).to.equal(1)
      expect(bench.driver.attempts).to.equal(1)
    })

    it('are replaced when the sign of life does not come within two seconds', async () => {
      await bench.once(anna)
      await bench.clock.advance(30_000)
      bench.driver.last.onPing = () => new Promise(() => undefined)
      const held = await bench.hold('stat', anna)
      await bench.clock.advance(1_999)
      expect(held.state).to.equal('waiting')
      await bench.clock.advance(1)
      expect(held.state).to.equal('working')
      expect(bench.order).to.deep.equal(['connect anna#1', 'close anna#1', 'connect anna#2', 'stat works'])
    })

    it('cost one repetition when the work may be repeated', async () => {
      await bench.once(anna)
      bench.driver.last.onStat = () => Promise.reject(lost())
      let runs = 0
      const entry = await bench.connections.use(
        anna,
        'metadata',
        (connection) => {
          runs++
          return connection.stat('/a')
        },
        { repeatable: true },
      )
      expect(entry.name).to.equal('anna')
      expect(runs).to.equal(2)
      expect(bench.order).to.deep.equal(['connect anna#1', 'close anna#1', 'connect anna#2'])
    })

    const repeats: {
      title: string
      code: 'CONNECTION_LOST' | 'TIMED_OUT'
      fresh?: true
      repeatable: boolean | (() => boolean)
    }[] = [
      { title: 'the work may not be repeated', code: 'CONNECTION_LOST', repeatable: false },
      { title: 'part of the result was delivered', code: 'CONNECTION_LOST', repeatable: () => false },
      { title: 'a deadline passed', code: 'TIMED_OUT', repeatable: true },
      { title: 'the connection was new', code: 'CONNECTION_LOST', repeatable: true, fresh: true },
    ]
    for (const { title, code, repeatable, fresh } of repeats) {
      it(`are not made up for when ${title}`, async () => {
        if (fresh === undefined) await bench.once(anna)
        let runs = 0
        const failing = bench.connections.use(
          anna,
          'metadata',
          () => {
            runs++
            return Promise.reject(new StorageError(code, 'gone'))
          },
          { repeatable },
        )
        expect(await failing.catch((error: unknown) => error)).to.include({ code })
        expect(runs).to.equal(1)
      })
    }

    it('are not made up for twice', async () => {
      await bench.once(anna)
      let runs = 0
      const work = (): Promise<never> => {
        runs++
        return Promise.reject(lost())
      }
      const failing = bench.connections.use(anna, 'metadata', work, { repeatable: true })
      expect(await failing.catch((error: unknown) => error)).to.include({ code: 'CONNECTION_LOST' })
      expect(runs).to.equal(2)
    })
  })

  describe('ending', () => {
    it('closes what is idle for a minute, and stops looking when nothing is open', async () => {
      await bench.once(anna)
      await bench.clock.advance(75_000)
      expect(bench.order).to.deep.equal(['connect anna#1', 'close anna#1'])
      await bench.clock.advance(60_000)
      expect(bench.clock.pending).to.equal(0)
    })

    it('closes what nobody came to fetch', async () => {
      const controller = new AbortController()
      const held = bench.start('stat', anna, 'metadata', { signal: controller.signal })
      controller.abort()
      await settled()
      expect(held.state).to.equal('ABORTED')
      await bench.clock.advance(75_000)
      expect(bench.driver.open).to.equal(0)
    })

    it('does not lend again what is older than its lifetime', async () => {
      bench = new PoolBench({ lifetime: 10_000 })
      const held = await bench.hold('long work', anna)
      await bench.clock.advance(10_000)
      expect(held.state).to.equal('working')
      await held.end()
      expect(bench.driver.open).to.equal(0)
    })

    it('keeps the connections used last', async () => {
      const first = await bench.hold('1st', anna)
      const second = await bench.hold('2nd', anna)
      await first.end()
      await bench.clock.advance(1_000)
      await second.end()
      for (let i = 0; i < 8; i++) {
        await bench.clock.advance(10_000)
        await bench.once(anna)
      }
      expect(bench.order.filter((line) => line.startsWith('close'))).to.deep.equal(['close anna#1'])
    })

    it('retires idle connections at once and lent ones when they come back', async () => {
      const first = await bench.hold('1st', anna)
      const second = await bench.hold('2nd', anna)
      await second.end()
      bench.takeOrder()
      bench.connections.retire({ accountKey: anna.key })
      expect(bench.takeOrder()).to.deep.equal(['close anna#2'])
      await first.end()
      expect(bench.takeOrder()).to.deep.equal(['close anna#1', '1st done'])
      expect(bench.driver.open).to.equal(0)
    })

    it('retires only the account that is named', async () => {
      await bench.once(anna)
      await bench.once(account('berta'))
      await bench.once(account('anna', { id: 2 }))
      bench.takeOrder()
      bench.connections.retire({ accountKey: account('berta').key })
      expect(bench.takeOrder()).to.deep.equal(['close berta#2'])
    })

    it('tells who waits for a retired account to ask again', async () => {
      const one = account('anna', { limits: { maxConnectionsPerAccount: 1 } })
      await bench.hold('1st', one)
      const waiting = await bench.hold('2nd', one)
      bench.connections.retire({ accountKey: one.key })
      await settled()
      expect(waiting.state).to.equal('UNAVAILABLE')
      expect((await bench.hold('3rd', one)).state).to.equal('working')
    })

    it('forgets a server when its last account is retired and its last connection closed', async () => {
      const held = await bench.hold('1st', anna)
      bench.connections.retire({ accountKey: anna.key })
      await bench.clock.advance(30_000)
      expect(bench.connections.stats().servers).to.have.length(1)
      await held.end()
      await bench.clock.advance(30_000)
      expect(bench.connections.stats().servers).to.deep.equal([])
      expect(bench.clock.pending).to.equal(0)
      expect(await bench.once(anna)).to.equal('done')
    })

    it('knows no more servers than accounts, also when all of them fail', async () => {
      bench = new PoolBench({ accounts: 3 })
      bench.driver.answer = (_, username) => (username === 'anna' ? 'UNTRUSTED' : 'ok')
      for (let id = 1; id <= 20; id++) await bench.once(account(id % 2 === 0 ? 'anna' : 'berta', { id }))
      await bench.clock.advance(150_000)
      expect(bench.connections.stats().servers.map(({ serverId }) => serverId)).to.deep.equal([18, 19, 20])
      expect(bench.clock.pending).to.equal(0)
    })

    it('keeps what is known of a server as long as an account has a pool', async () => {
      await bench.once(anna)
      await bench.clock.advance(300_000)
      expect(bench.connections.state(1)).to.include({ state: 'up' })
    })

    it('lets go the account that was not used for longest when there are too many', async () => {
      bench = new PoolBench({ accounts: 2 })
      const held = await bench.hold('anna', anna)
      await bench.once(account('berta'))
      await bench.once(account('carla'))
      await bench.once(account('dora'))
      expect(held.state).to.equal('working')
      expect(bench.takeOrder()).to.include('close berta#2').and.not.to.include('close anna#1')
      await held.end()
      expect(bench.takeOrder()).to.deep.equal(['close anna#1', 'anna done'])
    })

    it('closes what was still being opened for an account that was let go', async () => {
      bench = new PoolBench({ accounts: 1 })
      const slow = new Gate<'ok'>()
      bench.driver.answer = (_, username) => (username === 'anna' ? slow.promise : 'ok')
      const controller = new AbortController()
      await bench.hold('anna', anna, 'metadata', { signal: controller.signal })
      await bench.once(account('berta'))
      controller.abort()
      slow.open('ok')
      await settled()
      expect(bench.order.at(-1)).to.equal('close anna#1')
    })

    it('closes everything, and answers UNAVAILABLE from then on', async () => {
      bench.driver.answer = (_, username) => (username === 'berta' ? new Promise(() => undefined) : 'ok')
      const working = await bench.hold('working', anna)
      const connecting = await bench.hold('connecting', account('berta'))
      await bench.connections.close()
      await settled()
      expect(bench.driver.open).to.equal(0)
      expect(connecting.state).to.equal('UNAVAILABLE')
      expect((await bench.hold('late', anna)).state).to.equal('UNAVAILABLE')
      await working.end()
      expect(bench.clock.pending).to.equal(0)
    })
  })
})
