import { expect } from 'chai'
import type { Account } from '../../src/storage/account.js'
import type { ConnectionEvent } from '../../src/storage/connection-events.js'
import { Connections } from '../../src/storage/connections.js'
import { createDialer } from '../../src/storage/dialer.js'
import { createFtpDriver } from '../../src/storage/ftp/ftp-driver.js'
import { labFor, type Lab } from '../lab/lab.js'
import { Gate } from './scripted-driver.js'

const DEADLINES = { connect: 15_000, metadata: 15_000, firstByte: 15_000, stall: 15_000 }
const driver = createFtpDriver({ deadlines: DEADLINES, dial: createDialer({ allow: ['127.0.0.0/8'] }) })

describe('one connection ahead, on real FTP servers', function () {
  this.timeout(120_000)
  let lab: Lab
  let connections: Connections
  let events: ConnectionEvent[]

  before(async function () {
    lab = await labFor(this, {
      daemons: ['proftpd', 'vsftpd', 'pure-ftpd', { kind: 'vsftpd', settings: ['max_per_ip=1'] }],
    })
  })
  after(() => lab?.stop())

  beforeEach(() => {
    events = []
    connections = new Connections({
      driverFor: () => driver,
      onEvent: (event) => void events.push(event),
    })
  })
  afterEach(() => connections.close())

  function daemonAt(index: number): ReturnType<Lab['daemon']> {
    const daemon = lab.daemons[index]
    if (daemon === undefined) throw new Error('The lab has no such server.')
    return daemon
  }

  function accountOf(daemon: ReturnType<Lab['daemon']>, most: number): Account {
    const { endpoint } = daemon
    const limits = { maxConnections: 10, maxConnectionsPerAccount: most }
    const server = { id: 1, alias: 'server1', version: 'v1', endpoint, limits }
    return { key: 'eve', server, login: daemon.account('eve') }
  }

  /** A transfer that has its connection until the gate opens. */
  async function transfer(account: Account, gate: Gate): Promise<{ done: Promise<void> }> {
    const lent = new Gate()
    const done = connections.use(account, 'transfer', async (connection) => {
      await connection.ping()
      lent.open()
      await gate.promise
    })
    await Promise.race([lent.promise, done])
    return { done }
  }

  async function quiet(): Promise<void> {
    while (connections.stats().servers.some(({ connecting }) => connecting > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  const kinds = () => events.map(({ kind }) => kind)

  for (const index of [0, 1, 2]) {
    it(`serves the second of two transfers without a login (${['proftpd', 'vsftpd', 'pure-ftpd'][index]})`, async () => {
      const account = accountOf(daemonAt(index), 2)
      const gate = new Gate()
      const first = await transfer(account, gate)
      await quiet()
      const logins = kinds().filter((kind) => kind === 'connected').length
      expect(logins).to.equal(2)
      await connections.use(account, 'metadata', (connection) => connection.ping())
      expect(kinds().filter((kind) => kind !== 'lent')).to.deep.equal(['connected', 'connected'])
      gate.open()
      await first.done
    })
  }

  it('keeps to what a server grants, and disturbs nobody by asking for more', async () => {
    const account = accountOf(daemonAt(3), 4)
    const gate = new Gate()
    const first = await transfer(account, gate)
    await quiet()
    expect(kinds()).to.deep.equal(['connected', 'lent', 'connect-failed'])
    const second = connections.use(account, 'metadata', (connection) => connection.ping())
    gate.open()
    await Promise.all([first.done, second])
    expect(connections.stats().servers[0]).to.include({ open: 1, connecting: 0 })
    expect(connections.state(1).state).to.equal('up')
  })
})
