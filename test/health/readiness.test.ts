import { expect } from 'chai'
import { Readiness } from '../../src/health/readiness.js'

describe('Readiness', () => {
  let now: number
  let writes: number
  let write: () => Promise<void>
  let readiness: Readiness

  beforeEach(() => {
    now = 0
    writes = 0
    write = () => Promise.resolve()
    readiness = new Readiness(
      () => {
        writes++
        return write()
      },
      () => now,
    )
  })

  it('is there while the database can be written', async () => {
    expect(await readiness.unready()).to.equal(undefined)
  })

  it('ends while the database cannot be written, and says no more than that', async () => {
    write = () => Promise.reject(new Error('disk full at /var/lib/x'))
    expect(await readiness.unready()).to.equal('database')
    write = () => Promise.resolve()
    now += 1001
    expect(await readiness.unready()).to.equal(undefined)
  })

  it('asks the database once a second, however often it is asked', async () => {
    await Promise.all(Array.from({ length: 100 }, () => readiness.unready()))
    expect(writes).to.equal(1)
    now += 1000
    await readiness.unready()
    expect(writes).to.equal(2)
  })

  it('does not wait for a database that hangs', async () => {
    write = () => new Promise(() => undefined)
    expect(await readiness.unready()).to.equal('database')
  })

  it('ends with the order to stop', async () => {
    readiness.stopping()
    expect(await readiness.unready()).to.equal('stopping')
    expect(writes).to.equal(0)
  })
})
