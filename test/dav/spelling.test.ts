import { expect } from 'chai'
import { DavGateway } from './dav-gateway.js'

const FINDER = { 'user-agent': 'WebDAVFS/3.0.0 (03008000) Darwin/24.1.0 (arm64)' }
const WINDOWS = { 'user-agent': 'Microsoft-WebDAV-MiniRedir/10.0.19045' }

describe('dav: names that a client spells in its own way', () => {
  const gateway = new DavGateway()
  before(() => gateway.start())
  after(() => gateway.stop())

  for (const [name, agent, spelled, asked] of [
    ['macOS in another normal form', FINDER, 'caf\u00e9.txt', 'cafe\u0301.txt'],
    ['Windows in another case', WINDOWS, 'Report.TXT', 'report.txt'],
  ] as const) {
    it(`can be locked, written, refreshed and unlocked by ${name}`, async () => {
      gateway.store(`/${spelled}`, 'old')
      const path = `/dav/server2/${encodeURIComponent(asked)}`
      const token = await gateway.lock(path, { headers: agent })
      const holding = { ...agent, if: `(<${token}>)` }
      expect((await gateway.send('PUT', path, { headers: holding, body: 'new' })).status).to.equal(204)
      expect(gateway.content(`/${spelled}`)).to.equal('new')
      expect((await gateway.send('PUT', path, { headers: agent, body: 'x' })).status).to.equal(423)
      expect((await gateway.send('LOCK', path, { headers: holding })).status).to.equal(200)
      expect(
        (await gateway.send('UNLOCK', path, { headers: { ...agent, 'lock-token': `<${token}>` } })).status,
      ).to.equal(204)
    })
  }

  it('can be given another case by Windows', async () => {
    gateway.store('/readme.txt', 'x')
    const headers = { ...WINDOWS, destination: '/dav/server2/README.txt', overwrite: 'F' }
    expect((await gateway.send('MOVE', '/dav/server2/readme.txt', { headers })).status).to.equal(201)
    expect(gateway.names()).to.include('README.txt').and.not.include('readme.txt')
  })
})
