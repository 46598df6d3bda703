import { expect } from 'chai'
import { DriveAttempts } from '../../src/auth/drive-attempts.js'
import { DavGateway } from './dav-gateway.js'

const WINDOWS = { 'User-Agent': 'Microsoft-WebDAV-MiniRedir/10.0.19045' }

describe('what the drive notes of who wants in', () => {
  const attempts = new DriveAttempts()
  let gateway: DavGateway
  const outcomes = (username: string) => attempts.of(username, '127.0.0.1', 0).map(({ outcome }) => outcome)

  before(async () => {
    gateway = await new DavGateway({ attempts }).start()
  })
  after(() => gateway.stop())

  it('tells that somebody connected', async () => {
    expect((await gateway.send('PROPFIND', '/dav/', { headers: { Depth: '0', ...WINDOWS } })).status).to.equal(207)
    expect(outcomes('user1')).to.deep.equal(['connected'])
  })

  it('tells of a wrong password, to the user who was meant only', async () => {
    const authorization = `Basic ${Buffer.from('user2:wrong').toString('base64')}`
    await gateway.send('PROPFIND', '/dav/', { headers: { Depth: '0', authorization } })
    expect(outcomes('user2')).to.deep.equal(['rejected'])
    expect(outcomes('user1')).to.deep.equal(['connected'])
  })

  it('tells of a listing that Windows does not take', async () => {
    for (let i = 0; i < 2500; i++) {
      gateway.shared.tree.open(`/srv/${'long name '.repeat(12)}${i}.txt`, { exclusive: true, mode: undefined })
    }
    await gateway.send('PROPFIND', '/dav/server2/', { headers: { Depth: '1', ...WINDOWS } })
    expect(outcomes('user1')).to.include('listing-too-long')
  })
})
