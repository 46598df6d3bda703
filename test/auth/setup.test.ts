import { expect } from 'chai'
import { Setup } from '../../src/auth/setup.js'
import { ConflictError, ValidationError } from '../../src/errors.js'
import { actor, openTestServices, rejectionOf, type TestServices } from '../support/services.js'

const HOME = '192.0.2.1'
const ADMIN = { username: 'anna', password: 'a good password' }

describe('Setup', () => {
  let services: TestServices
  let setup: Setup
  let now: number

  beforeEach(async () => {
    services = await openTestServices()
    now = Date.now()
    setup = new Setup(services.users, () => now)
  })
  afterEach(() => services.close())

  const token = () => new URL(setup.link('https://files.example.org')).searchParams.get('token') ?? ''

  it('is needed while there is no admin', async () => {
    expect([await setup.needed(), await setup.untouched()]).to.deep.equal([true, true])
    await services.users.create({ username: 'someone', password: 'password-1' }, actor)
    expect([await setup.needed(), await setup.untouched()]).to.deep.equal([true, false])
    await services.users.create({ username: 'root', password: 'password-1', role: 'admin' }, actor)
    expect(await setup.needed()).to.equal(false)
  })

  it('makes the first admin by its link, once', async () => {
    expect(setup.link('https://files.example.org')).to.match(/^https:\/\/files\.example\.org\/setup\?token=[\w-]{43}$/)
    const good = token()
    expect(setup.accepts(good)).to.equal(true)
    const user = await setup.complete(good, ADMIN, HOME)
    expect(user).to.include({ username: 'anna', role: 'admin', mustChangePassword: false })
    expect(setup.accepts(good)).to.equal(false)
    expect(await rejectionOf(setup.complete(good, { ...ADMIN, username: 'eve' }, HOME))).to.be.instanceOf(ConflictError)
    const [event] = await services.audit.list()
    expect(event).to.include({ type: 'user.created', actorKind: 'stranger', address: HOME, objectName: 'anna' })
  })

  it('takes no other link', async () => {
    const other = new Setup(services.users)
    const wrong = new URL(other.link('https://x')).searchParams.get('token') ?? ''
    for (const forged of ['', 'x', wrong]) {
      const error = await rejectionOf(setup.complete(forged, ADMIN, HOME))
      expect((error as ValidationError).problems[0]?.field).to.equal('token')
    }
    expect(await setup.needed()).to.equal(true)
  })

  it('takes the link for an hour', async () => {
    now += 60 * 60_000
    expect(setup.accepts(token())).to.equal(false)
    expect(await rejectionOf(setup.complete(token(), ADMIN, HOME))).to.be.instanceOf(ValidationError)
  })

  it('stays good after a password that is none', async () => {
    const error = await rejectionOf(setup.complete(token(), { username: 'anna', password: 'short' }, HOME))
    expect((error as ValidationError).problems[0]?.field).to.equal('password')
    await setup.complete(token(), ADMIN, HOME)
  })

  it('lets exactly one of two who come at once be the first', async () => {
    const both = ['anna', 'bert'].map((username) => setup.complete(token(), { ...ADMIN, username }, HOME))
    const results = await Promise.allSettled(both)
    expect(results.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected'])
    expect(await services.users.count()).to.equal(1)
  })
})
