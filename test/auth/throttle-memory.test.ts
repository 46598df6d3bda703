import { expect } from 'chai'
import { Throttle } from '../../src/auth/throttle.js'
import { ThrottleMemory } from '../../src/auth/throttle-memory.js'
import { openTestServices, type TestServices } from '../support/services.js'

describe('ThrottleMemory', () => {
  let services: TestServices
  let errors: unknown[]

  beforeEach(async () => {
    services = await openTestServices()
    errors = []
  })
  afterEach(() => services.close())

  /** As a process would from start to stop. */
  async function run(work: (throttle: Throttle) => Promise<void>): Promise<void> {
    const throttle = new Throttle()
    const memory = new ThrottleMemory(services.database, throttle, (error) => errors.push(error))
    await memory.start()
    await work(throttle)
    await memory.stop()
  }

  const settings = () => services.database.models.Setting.findAll({ raw: true })

  it('makes a restart no way around the throttle', async () => {
    await run(async (throttle) => {
      for (let n = 0; n < 10; n++) await throttle.failed('u', '192.0.2.1')
    })
    await run(async (throttle) => {
      expect((await throttle.admit('u', '192.0.2.1')).go).to.equal(false)
    })
    expect(errors).to.deep.equal([])
  })

  it('writes nothing when nothing was counted', async () => {
    await run(async (throttle) => void (await throttle.admit('u', '192.0.2.1')))
    expect(await settings()).to.deep.equal([])
  })

  it('stays small when a botnet guesses', async function () {
    this.timeout(60_000)
    await run(async (throttle) => {
      for (let n = 0; n < 5000; n++) await throttle.failed('x'.repeat(200) + n, `2001:db8:${n.toString(16)}::1`)
    })
    const [{ value = '' } = {}] = await settings()
    expect(value.length).to.be.within(100_000, 1_000_000)
  })

  it('starts without what cannot be read, and says so', async () => {
    await services.database.models.Setting.create({ name: 'login-throttle', value: '{"counters":' })
    await run(async (throttle) => {
      expect((await throttle.admit('u', '192.0.2.1')).go).to.equal(true)
    })
    expect(errors).to.have.length(1)
  })
})
