import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { probeServer, type Probe } from '../../src/servers/probe-server.js'
import { startEmbeddedSftpServer, type EmbeddedSftpServer } from '../../src/demo/embedded-sftp-server.js'
import type { NewServer } from '../../src/servers/server-input.js'
import type { Login } from '../../src/storage/driver.js'
import { createDialer } from '../../src/storage/dialer.js'
import { createSftpDriver } from '../../src/storage/sftp/sftp-driver.js'
import { actor, openTestServices, OTHER_FINGERPRINT, type TestServices } from '../support/services.js'

const deadlines = { connect: 5000, metadata: 5000, firstByte: 5000, stall: 5000 }

describe('probeServer', () => {
  let services: TestServices
  let embedded: EmbeddedSftpServer
  let count = 0

  before(async () => {
    services = await openTestServices()
    const root = join(services.folder, 'files')
    await mkdir(root)
    await writeFile(join(root, 'secret-name.txt'), 'x')
    embedded = await startEmbeddedSftpServer({ users: [{ username: 'root', password: 'geheim', root }] })
  })
  after(async () => {
    await embedded.close()
    await services.close()
  })

  async function probe(changes: Partial<NewServer>, login?: Login): Promise<Probe> {
    const dial = createDialer({ allow: ['127.0.0.1/32'] })
    const driver = createSftpDriver({ deadlines, dial })
    const { id } = await services.servers.create(
      {
        alias: `s${count++}`,
        protocol: 'sftp',
        host: '127.0.0.1',
        port: embedded.port,
        trust: { fingerprint: embedded.fingerprint },
        ...changes,
      },
      actor,
    )
    return probeServer({ dial, driverFor: () => driver }, await services.servers.get(id), login, () => {})
  }

  const steps = ({ phases }: Probe) => phases.map(({ name, ok }) => `${name} ${ok ? 'ok' : 'failed'}`)
  const login = { username: 'root', password: 'geheim' }

  it('goes through every phase, and shows no file names', async () => {
    const result = await probe({}, login)
    expect(steps(result)).to.deep.equal(['connect ok', 'trust ok', 'login ok', 'list ok'])
    expect(result).to.include({ ok: true, loggedIn: true, fingerprint: embedded.fingerprint })
    expect(result.phases.at(-1)?.detail).to.equal('1 entries')
  })

  it('sends no login to a server that is not the trusted one', async () => {
    const seen = embedded.logins.length
    const result = await probe({ trust: { fingerprint: OTHER_FINGERPRINT } }, login)
    expect(steps(result)).to.deep.equal(['connect ok', 'trust failed'])
    expect(result.phases.at(-1)?.detail).to.include('UNTRUSTED').and.include(OTHER_FINGERPRINT)
    expect(embedded.logins).to.have.length(seen)
  })

  it('logs in to the server just seen where its first use is awaited', async () => {
    expect(steps(await probe({ trust: { firstUse: true } }, login)).slice(2)).to.deep.equal(['login ok', 'list ok'])
  })

  it('stops at a rejected login, and does not count it as one', async () => {
    const result = await probe({}, { ...login, password: 'wrong' })
    expect(steps(result)).to.deep.equal(['connect ok', 'trust ok', 'login failed'])
    expect(result).to.include({ ok: false, loggedIn: false })
    expect(result.phases.at(-1)?.detail).to.include('LOGIN_REJECTED').and.not.include('wrong')
  })

  it('stops where nobody answers', async () => {
    expect(steps(await probe({ port: 1 }, login))).to.deep.equal(['connect failed'])
  })

  it('is content with trust when there is no login', async () => {
    expect(await probe({})).to.include({ ok: true, loggedIn: false })
  })
})
