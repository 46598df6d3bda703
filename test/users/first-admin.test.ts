import { expect } from 'chai'
import type { ValidationError } from '../../src/errors.js'
import { ensureAdmin } from '../../src/users/first-admin.js'
import { actor, openTestServices, rejectionOf, type TestServices } from '../support/services.js'

describe('ensureAdmin', () => {
  let services: TestServices
  let told: string[]
  const notify = (message: string) => void told.push(message)

  beforeEach(async () => {
    services = await openTestServices()
    told = []
  })
  afterEach(() => services.close())

  it('makes the admin from the configured password, and does not show it', async () => {
    await ensureAdmin(services.users, 'the first password', notify)
    expect(await services.users.find('admin')).to.include({ role: 'admin' })
    expect(told.join()).to.include('admin').and.not.include('the first password')
  })

  it('leaves it to the set-up link when there is no password', async () => {
    await ensureAdmin(services.users, undefined, notify)
    expect(await services.users.list()).to.deep.equal([])
    expect(told).to.deep.equal([])
  })

  it('makes one admin when two processes start at once', async () => {
    await Promise.all([
      ensureAdmin(services.users, 'the first password', notify),
      ensureAdmin(services.users, 'the first password', notify),
    ])
    expect(await services.users.count()).to.equal(1)
    expect(told).to.have.length(1)
  })

  it('makes the admin also when a cluster file brought users before the first start', async () => {
    await services.users.create({ username: 'someone', password: 'password-1' }, actor)
    await ensureAdmin(services.users, 'the first password', notify)
    expect(await services.users.find('admin')).to.include({ role: 'admin' })
  })

  it('does nothing once there is an admin, also a disabled one', async () => {
    const { id } = await services.users.create({ username: 'someone', password: 'password-1', role: 'admin' }, actor)
    await services.database.models.User.update({ disabled: true }, { where: { id } })
    await ensureAdmin(services.users, 'the first password', notify)
    expect((await services.users.list()).map(({ username }) => username)).to.deep.equal(['someone'])
    expect(told).to.deep.equal([])
  })

  it('makes nobody an admin who is a user, and says what to do', async () => {
    await services.users.create({ username: 'admin', password: 'password-1' }, actor)
    await ensureAdmin(services.users, 'the first password', notify)
    expect(await services.users.find('admin')).to.include({ role: 'user' })
    expect(told.join()).to.include('ftpcluster user set-role')
  })

  it('names the variable whose password breaks a rule', async () => {
    const error = await rejectionOf(ensureAdmin(services.users, 'short', notify))
    expect((error as ValidationError).problems[0]?.field).to.equal('FTPCLUSTER_ADMIN_PASSWORD')
  })
})
