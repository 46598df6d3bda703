import { once, EventEmitter } from 'node:events'
import { expect } from 'chai'
import { openDatabase } from '../../src/db/database.js'
import { openTestServices, rejectionOf, type TestServices } from '../support/services.js'

describe('RevisionCounter', () => {
  let services: TestServices

  before(async () => (services = await openTestServices()))
  after(() => services.close())

  it('tells of own changes before they are reported as done', async () => {
    const told: number[] = []
    const watch = await services.database.revision.watch({ intervalMs: 1e6, onChange: (n) => void told.push(n) })
    const before = await services.database.revision.current()
    await services.database.change(() => Promise.resolve())
    expect(told).to.deep.equal([before + 1])
    watch.stop()
    await services.database.change(() => Promise.resolve())
    expect(told).to.have.length(1)
  })

  it('does not grow with a change that was rolled back', async () => {
    const before = await services.database.revision.current()
    await rejectionOf(services.database.change(() => Promise.reject(new Error('no'))))
    expect(await services.database.revision.current()).to.equal(before)
  })

  it('sees, once, what another process changed', async () => {
    const events = new EventEmitter()
    const told: number[] = []
    const watch = await services.database.revision.watch({
      intervalMs: 5,
      onChange: (n) => {
        told.push(n)
        events.emit('told')
      },
    })
    const other = await openDatabase({ dataDir: services.folder })
    try {
      const heard = once(events, 'told')
      await other.change(() => Promise.resolve())
      await heard
      expect(told).to.deep.equal([await other.revision.current()])
    } finally {
      watch.stop()
      await other.close()
    }
  })
})
