import { expect } from 'chai'
import { chmod, chown, mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createDialer } from '../../src/storage/dialer.js'
import type { Connection } from '../../src/storage/driver.js'
import { createSftpDriver } from '../../src/storage/sftp/sftp-driver.js'
import { labFor, type AccountName, type Lab, type LabDaemon } from '../lab/lab.js'
import { signal } from '../lab/processes.js'
import { chunks, names, pattern, put } from './conformance/world.js'
import { describeDriverConformance } from './driver-conformance.js'

const deadlines = { connect: 15_000, metadata: 15_000, firstByte: 15_000, stall: 15_000 }
const driver = createSftpDriver({ deadlines, dial: createDialer({ allow: ['127.0.0.0/8'] }) })

function login(daemon: LabDaemon, name: AccountName): Promise<Connection> {
  return driver.connect(daemon.endpoint, daemon.account(name))
}

describeDriverConformance('SFTP, OpenSSH', async function () {
  const lab = await labFor(this, { daemons: ['sshd'], smallDisk: 1024 * 1024 })
  const sshd = lab.daemon('sshd')
  const { home, remoteHome, uid, username } = sshd.account('alice')
  const local = (remote: string) => path.join(home, path.relative(remoteHome, remote))
  const forbidden = path.join(home, 'forbidden')
  await mkdir(path.join(forbidden, 'inside'), { recursive: true })
  await chmod(forbidden, 0)
  const unlistable = path.join(home, 'unlistable')
  await mkdir(unlistable)
  await chmod(unlistable, 0o311)
  const readOnly = path.join(home, 'read-only')
  await mkdir(readOnly)
  await writeFile(path.join(readOnly, 'file'), 'x')
  await chmod(readOnly, 0o555)
  const unreadable = path.join(home, 'unreadable')
  await writeFile(unreadable, 'x')
  await chmod(unreadable, 0)
  for (const place of [forbidden, unlistable, readOnly, unreadable]) await chown(place, uid, uid)
  return {
    connect: () => login(sshd, 'alice'),
    connectRejected: () => driver.connect(sshd.endpoint, { username, password: 'wrong' }),
    folder: remoteHome,
    plantLink: (target, at) => symlink(target, local(at)),
    plantTime: (at, modified) => utimes(local(at), modified / 1000, modified / 1000),
    forbiddenFolder: `${remoteHome}/forbidden`,
    unlistableFolder: `${remoteHome}/unlistable`,
    readOnlyFolder: `${remoteHome}/read-only`,
    forbiddenFile: `${remoteHome}/unreadable`,
    close: () => lab.stop(),
  }
})

describe('SFTP driver on OpenSSH', () => {
  let lab: Lab | undefined
  let sshd: LabDaemon
  const connections: Connection[] = []

  before(async function () {
    lab = await labFor(this, { daemons: ['sshd'], smallDisk: 1024 * 1024 })
    sshd = lab.daemon('sshd')
  })

  afterEach(() => {
    for (const connection of connections.splice(0)) connection.close()
  })

  after(() => lab?.stop())

  async function connect(name: AccountName): Promise<Connection> {
    const connection = await login(sshd, name)
    connections.push(connection)
    return connection
  }

  it('says NO_SPACE on a full disk, in step, and the file can be removed', async () => {
    const connection = await connect('small')
    const file = `${connection.home}/file`
    let error: unknown
    try {
      await connection.write(file, chunks(...Array.from({ length: 48 }, () => Buffer.alloc(65_536))))
    } catch (caught) {
      error = caught
    }
    expect(error).to.include({ code: 'NO_SPACE', inStep: true })
    await connection.removeFile(file)
    expect(await names(connection, connection.home)).to.not.include('file')
  })

  it('logs in with a key, with an encrypted key, and says where the login landed', async () => {
    for (const name of ['carol', 'dave'] as const) {
      expect((await connect(name)).home).to.equal(sshd.account(name).remoteHome)
    }
  })

  it('offers all capabilities of a current OpenSSH', async () => {
    const connection = await connect('alice')
    expect(connection).to.include.all.keys(...['setModified', 'setMode', 'copyFile', 'freeSpace', 'realPath', 'sync'])
    expect(connection.traits.renameReplaces).to.equal(true)
  })

  it('copies a file of several slices on the server, and refuses to copy onto a file', async () => {
    const connection = await connect('alice')
    const content = pattern(40 * 1024 * 1024 + 5)
    await put(connection, `${connection.home}/from`, content)
    await connection.copyFile?.(`${connection.home}/from`, `${connection.home}/to`)
    let at = 0
    let same = true
    await connection.read(`${connection.home}/to`, undefined, (chunk) => {
      same &&= chunk.equals(content.subarray(at, at + chunk.length))
      at += chunk.length
    })
    expect([same, at]).to.deep.equal([true, content.length])
    const again = connection.copyFile?.(`${connection.home}/from`, `${connection.home}/to`)
    expect(await again?.catch((error: unknown) => error)).to.include({ code: 'ALREADY_EXISTS' })
  })

  it('settles with CONNECTION_LOST when the session process is killed in the middle of a write', async () => {
    const connection = await connect('alice')
    const mine = sshd.sessions()
    async function* endless() {
      for (let sent = 0; ; sent++) {
        if (sent === 20) for (const pid of mine) signal(pid, 'SIGKILL')
        yield await Promise.resolve(Buffer.alloc(65_536))
      }
    }
    const outcome: unknown = await connection
      .write(`${connection.home}/cut`, endless())
      .catch((error: unknown) => error)
    expect(outcome).to.include({ code: 'CONNECTION_LOST', inStep: false })
    expect(connection.open).to.equal(false)
  })
})

describe('SFTP driver on OpenSSH that renews its keys every megabyte', function () {
  this.timeout(60_000)

  for (const cipher of ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes256-ctr']) {
    it(`reads what is there with ${cipher}, and goes on working`, async function () {
      const settings = ['RekeyLimit 1M', `Ciphers ${cipher}`]
      const lab = await labFor(this, { daemons: [{ kind: 'sshd', settings }] })
      try {
        const connection = await login(lab.daemon('sshd'), 'alice')
        const file = `${connection.home}/file`
        const content = pattern(24 * 1024 * 1024 + 7)
        await put(connection, file, content)
        for (let turn = 0; turn < 3; turn++) {
          const read: Buffer[] = []
          await connection.read(file, undefined, (chunk) => void read.push(Buffer.from(chunk)))
          expect(Buffer.concat(read).equals(content)).to.equal(true)
          expect(await names(connection, connection.home)).to.include('file')
        }
        connection.close()
      } finally {
        await lab.stop()
      }
    })
  }
})
