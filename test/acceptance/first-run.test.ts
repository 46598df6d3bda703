import { expect } from 'chai'
import { GatewayProcess } from '../support/gateway.js'

const NOTHING = { servers: [], users: [], permissions: [] }

describe('the first run', function () {
  this.timeout(120_000)
  let gateway: GatewayProcess
  afterEach(() => gateway.stop())

  const links = () => gateway.log.match(/http:\/\/127\.0\.0\.1:\d+\/setup\?token=[\w-]{43}/g) ?? []

  it('logs a link that makes the first admin, a new one at each start, until there is a user', async () => {
    gateway = await GatewayProcess.start(NOTHING, { env: { FTPCLUSTER_ADMIN_PASSWORD: '' } })
    // The line follows the one that says it is ready.
    while (links().length < 1) await new Promise(setImmediate)
    await gateway.end()
    await gateway.serve()
    while (links().length < 2) await new Promise(setImmediate)
    expect(new Set(links()).size).to.equal(2)
    await gateway.end()
    await gateway.apply({ ...NOTHING, users: [{ username: 'anna', password: 'a good password', admin: true }] })
    await gateway.serve()
    await gateway.end()
    expect(links()).to.have.length(2)
  })

  it('takes the admin’s password from the environment, and logs no link then', async () => {
    gateway = await GatewayProcess.start(NOTHING)
    await gateway.end()
    expect(gateway.log).to.include('FTPCLUSTER_ADMIN_PASSWORD')
    expect(links()).to.deep.equal([])
  })
})
