import { expect } from 'chai'
import type { Connection } from '../../src/storage/driver.js'
import { StorageError } from '../../src/storage/errors.js'
import { Lease } from '../../src/storage/lease.js'
import { Gate, ScriptedConnection } from './scripted-driver.js'

const inStep = new StorageError('NOT_FOUND', 'no such file', { inStep: true })
const outOfStep = new StorageError('PROTOCOL', 'nonsense')

describe('a lease', () => {
  let target: ScriptedConnection
  let lease: Lease

  beforeEach(() => {
    target = new ScriptedConnection('anna#1', 'anna', () => undefined)
    lease = new Lease(target)
  })

  /** Runs `work` as the pool does and tells where the connection goes. */
  async function outcome(work: (connection: Connection) => Promise<unknown>): Promise<string> {
    try {
      await work(lease.connection)
      return lease.settle()
    } catch (error) {
      return lease.settle(error)
    }
  }

  function statFails(error: Error): void {
    target.onStat = () => Promise.reject(error)
  }

  const ignore = (): undefined => undefined

  it('gives the connection back when the work succeeded', async () => {
    expect(await outcome((connection) => connection.stat('/a'))).to.equal('back')
  })

  it('gives it back after an error that leaves it in step', async () => {
    statFails(inStep)
    expect(await outcome((connection) => connection.stat('/a'))).to.equal('back')
  })

  it('closes it after an error that does not', async () => {
    statFails(outOfStep)
    expect(await outcome((connection) => connection.stat('/a'))).to.equal('closed')
  })

  it('gives it back after an error of a sink or a source that the driver left it open for', async () => {
    statFails(new Error('the client is gone'))
    expect(await outcome((connection) => connection.stat('/a'))).to.equal('back')
  })

  it('closes it after an error of a sink or a source for which the driver closed it', async () => {
    target.onStat = () => {
      target.close()
      return Promise.reject(new Error('the client is gone'))
    }
    expect(await outcome((connection) => connection.stat('/a'))).to.equal('closed')
  })

  it('closes it when the work swallowed an error that left it out of step', async () => {
    statFails(outOfStep)
    expect(await outcome((connection) => connection.stat('/a').catch(ignore))).to.equal('closed')
  })

  it('gives it back when the work itself threw between operations', async () => {
    const work = async (connection: Connection): Promise<void> => {
      await connection.stat('/a')
      throw new Error('precondition failed')
    }
    expect(await outcome(work)).to.equal('back')
  })

  it('believes a storage error of the work itself', async () => {
    expect(await outcome(() => Promise.reject(outOfStep))).to.equal('closed')
    lease = new Lease(target)
    expect(await outcome(() => Promise.reject(inStep))).to.equal('back')
  })

  it('closes it when an operation is still running', async () => {
    const gate = new Gate<never>()
    target.onStat = () => gate.promise
    const work = (connection: Connection): Promise<void> => {
      connection.stat('/a').catch(ignore)
      return Promise.resolve()
    }
    expect(await outcome(work)).to.equal('closed')
    gate.fail(inStep)
  })

  it('closes it when it is not open any more', async () => {
    const work = (connection: Connection): Promise<void> => {
      connection.close()
      return Promise.resolve()
    }
    expect(await outcome(work)).to.equal('closed')
  })

  it('refuses operations after its end', async () => {
    let kept: Connection | undefined
    await outcome((connection) => Promise.resolve((kept = connection)))
    expect(() => kept?.stat('/a')).to.throw('given back')
  })

  it('shows the capabilities of the connection', () => {
    expect('copyFile' in lease.connection).to.equal(false)
    expect('stat' in lease.connection).to.equal(true)
    expect(lease.connection.home).to.equal('/home/anna')
  })
})
