import { expect } from 'chai'
import { request, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { chown, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { labFor, type Lab } from '../lab/lab.js'
import { driveOver, PASSWORD, USER } from '../support/drive.js'
import { GatewayProcess } from '../support/gateway.js'
import { eventually } from '../support/upload.js'

const SIZE = 64 * 1024 * 1024

describe('a change by the CLI beside a running gateway', function () {
  this.timeout(120_000)
  let lab: Lab
  let gateway: GatewayProcess

  before(async function () {
    lab = await labFor(this, { daemons: ['sshd', 'vsftpd'] })
    gateway = await GatewayProcess.start(driveOver(lab))
    for (const daemon of lab.daemons) {
      const { home, uid } = daemon.account('alice')
      const file = path.join(home, 'large.bin')
      await writeFile(file, Buffer.alloc(SIZE, 'x'))
      await chown(file, uid, uid)
    }
  })

  after(async () => {
    await gateway?.stop()
    await lab?.stop()
  })

  async function status(url: string, password = PASSWORD, method = 'PROPFIND'): Promise<number> {
    const authorization = 'Basic ' + Buffer.from(`${USER}:${password}`).toString('base64')
    const response = await fetch(url, { method, headers: { depth: '0', authorization } })
    await response.arrayBuffer()
    return response.status
  }

  /** A download that is under way and goes no further until it is read. */
  async function openDownload(url: string): Promise<{ response: IncomingMessage; ended: Promise<'whole' | 'cut'> }> {
    const outgoing = request(url, { auth: `${USER}:${PASSWORD}` }).end()
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    expect(response.statusCode).to.equal(200)
    const ended = new Promise<'whole' | 'cut'>((resolve) => {
      response.once('close', () => resolve(response.complete ? 'whole' : 'cut'))
      response.on('error', () => {})
    })
    return { response, ended }
  }

  it('cuts the transfers of a permission that is removed, hides its folder, and leaves the others alone', async () => {
    const cut = await openDownload(gateway.dav('vsftpd', 'large.bin'))
    const kept = await openDownload(gateway.dav('sshd', 'large.bin'))
    const { code, stderr } = await gateway.cli('permission', 'remove', USER, 'vsftpd')
    expect(code, stderr).to.equal(0)
    await eventually('the folder is gone', 1, async () => (await status(gateway.dav('vsftpd'))) === 404)
    cut.response.resume()
    expect(await cut.ended).to.equal('cut')
    kept.response.resume()
    expect(await kept.ended).to.equal('whole')
    await gateway.apply(driveOver(lab))
    await eventually('the folder is back', 1, async () => (await status(gateway.dav('vsftpd'))) === 207)
  })

  it('refuses the old password within a second', async () => {
    const url = gateway.dav('sshd')
    expect(await status(url)).to.equal(207)
    const file = path.join(gateway.folder, 'new-password')
    await writeFile(file, 'another password\n', { mode: 0o600 })
    const { code, stderr } = await gateway.cli('user', 'passwd', USER, '--password-file', file)
    expect(code, stderr).to.equal(0)
    await eventually('the old password is refused', 1, async () => (await status(url)) === 401)
    expect(await status(url, 'another password')).to.equal(207)
    await gateway.apply(driveOver(lab))
    await eventually('the first password is back', 1, async () => (await status(url)) === 207)
  })

  it('ends everything of a user who is disabled', async () => {
    const open = await openDownload(gateway.dav('sshd', 'large.bin'))
    expect((await gateway.cli('user', 'disable', USER)).code).to.equal(0)
    await eventually('the user is out', 1, async () => (await status(gateway.dav('sshd'))) === 401)
    open.response.resume()
    expect(await open.ended).to.equal('cut')
    expect((await gateway.cli('user', 'enable', USER)).code).to.equal(0)
    await eventually('the user is back', 1, async () => (await status(gateway.dav('sshd'))) === 207)
  })
})
