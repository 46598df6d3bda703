import { expect } from 'chai'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { mock } from 'node:test'
import { LoadedSoon } from '../../src/http/loaded-soon.js'

describe('a handler that is loaded soon', () => {
  let loads: number
  const told: unknown[] = []
  const nothing = (error: unknown) => expect.fail(String(error))
  const [request, response] = [{}, {}] as [IncomingMessage, ServerResponse]

  beforeEach(() => {
    loads = told.length = 0
    mock.timers.enable({ apis: ['setTimeout'] })
  })
  afterEach(() => mock.timers.reset())

  const loading = () =>
    new LoadedSoon(() => {
      loads++
      return Promise.resolve(() => 'answered')
    })

  it('is loaded a second after the start without a request', () => {
    loading().begin(nothing)
    expect(loads).to.equal(0)
    mock.timers.tick(1000)
    expect(loads).to.equal(1)
  })

  it('is loaded by the first request, once', async () => {
    const soon = loading()
    soon.begin(nothing)
    expect(await soon.handler(request, response)).to.equal('answered')
    expect(await soon.handler(request, response)).to.equal('answered')
    mock.timers.tick(1000)
    expect(loads).to.equal(1)
  })

  it('is not loaded any more after the end, and who begins is told when it cannot be', async () => {
    const soon = loading()
    soon.begin(nothing)
    soon.stop()
    mock.timers.tick(1000)
    expect(loads).to.equal(0)
    const failure = new Error('too many open files')
    const broken = new LoadedSoon(() => Promise.reject(failure))
    broken.begin((error) => told.push(error))
    mock.timers.tick(1000)
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).to.deep.equal([failure])
  })
})
