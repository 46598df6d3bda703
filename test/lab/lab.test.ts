import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import SftpClient from 'ssh2-sftp-client'
import { ALL_DAEMONS, labFor, type Lab, type LabAccount, type LabDaemon } from './lab.js'
import { signal } from './processes.js'
import { run, type RunResult } from './run.js'

const SMALL_DISK = 1 << 20

/** One FTP or FTPS transfer or command by curl, which is none of our code. */
function curl(daemon: LabDaemon, account: LabAccount, remote: string, ...args: string[]): Promise<RunResult> {
  const { protocol, host, port } = daemon.endpoint
  const scheme = protocol === 'ftps-implicit' ? 'ftps' : 'ftp'
  const secure = protocol === 'ftp' ? [] : ['--insecure', '--ssl-reqd']
  const url = `${scheme}://${host}:${port}/${remote.replace(/^\//, '%2F')}`
  const login = `${account.username}:${account.password ?? ''}`
  return run('curl', ['--silent', '--show-error', '--verbose', ...secure, '--user', login, ...args, url])
}

async function sftp<T>(daemon: LabDaemon, account: LabAccount, use: (client: SftpClient) => Promise<T>): Promise<T> {
  const client = new SftpClient()
  const { username, password, privateKey, passphrase } = account
  const secret = privateKey === undefined ? { password: password ?? '' } : { privateKey }
  const { host, port } = daemon.endpoint
  await client.connect({ host, port, username, ...secret, ...(passphrase === undefined ? {} : { passphrase }) })
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not within 10 seconds: ${what}`)
    await delay(10)
  }
}

describe('the lab', () => {
  let lab: Lab
  before(async function () {
    lab = await labFor(this, { daemons: ALL_DAEMONS, smallDisk: SMALL_DISK })
  })
  after(() => lab?.stop())

  for (const kind of ALL_DAEMONS) {
    describe(kind, () => {
      let daemon: LabDaemon
      before(() => {
        daemon = lab.daemon(kind)
      })

      it('lets every account store a file in its own home', async () => {
        const storeOne = async (account: LabAccount) => {
          const text = `from ${account.username}\n`
          const name = `${account.username}.txt`
          if (kind === 'sshd') await sftp(daemon, account, (client) => client.put(Buffer.from(text), name))
          else {
            const source = path.join(lab.scratch, `${kind}-${account.username}`)
            await writeFile(source, text)
            const result = await curl(daemon, account, name, '--upload-file', source)
            expect(result.code, result.stderr).to.equal(0)
          }
          expect(await readFile(path.join(account.home, name), 'utf8')).to.equal(text)
        }
        await Promise.all(daemon.accounts.map(storeOne))
      })

      it('tells where the login landed', async () => {
        const alice = daemon.account('alice')
        if (kind === 'sshd') expect(await sftp(daemon, alice, (c) => c.realPath('.'))).to.equal(alice.remoteHome)
        else expect((await curl(daemon, alice, '')).stderr).to.include(`257 "${alice.remoteHome}"`)
      })

      it('refuses a wrong password', async () => {
        const wrong = { ...daemon.account('alice'), password: 'wrong' }
        if (kind === 'sshd') {
          const error = await sftp(daemon, wrong, () => Promise.resolve()).then(() => undefined, String)
          expect(error).to.include('authentication')
        } else expect((await curl(daemon, wrong, '')).code).to.equal(67)
      })

      it('refuses a folder that belongs to somebody else', async () => {
        const eve = daemon.account('eve')
        if (kind === 'sshd') {
          const error = await sftp(daemon, eve, (c) => c.list(daemon.forbidden.folder)).then(() => undefined, String)
          expect(error).to.include('Permission denied')
        } else expect((await curl(daemon, eve, daemon.forbidden.folder + '/')).stderr).to.include('550')
      })

      it('fills the small disk', async () => {
        const small = daemon.account('small')
        const source = path.join(lab.scratch, `${kind}-too-much`)
        await writeFile(source, Buffer.alloc(2 * SMALL_DISK))
        if (kind === 'sshd') {
          const refused = await sftp(daemon, small, async (client) => {
            await client.put(source, 'big')
            return (await client.stat('big')).size < 2 * SMALL_DISK
          }).catch(() => true)
          expect(refused).to.equal(true)
        } else expect((await curl(daemon, small, 'big', '--upload-file', source)).code).to.not.equal(0)
        expect((await readFile(path.join(small.home, 'big'))).length).to.be.at.most(SMALL_DISK)
      })

      it('shows its sessions, and a killed one closes its connection', async () => {
        await until('earlier sessions have ended', () => daemon.sessions().length === 0)
        const socket = connect(daemon.endpoint.port, daemon.endpoint.host)
        socket.on('error', () => undefined).resume()
        const closed = once(socket, 'close')
        await until('the session is there', () => daemon.sessions().length > 0)
        for (const pid of daemon.sessions()) signal(pid, 'SIGKILL')
        await closed
      })

      it('comes back on the same port with the same files', async () => {
        const [pid, alice] = [daemon.pid, daemon.account('alice')]
        await writeFile(path.join(alice.home, 'kept.txt'), 'kept\n')
        await daemon.restart()
        expect(daemon.pid).to.not.equal(pid)
        if (kind === 'sshd') expect(await sftp(daemon, alice, (c) => c.exists('kept.txt'))).to.equal('-')
        else expect((await curl(daemon, alice, 'kept.txt')).stdout).to.equal('kept\n')
      })
    })
  }

  for (const kind of ['proftpd-ftps', 'proftpd-ftps-implicit'] as const) {
    it(`${kind} refuses a data connection that does not resume the TLS session`, async () => {
      const result = await curl(lab.daemon(kind), lab.daemon(kind).account('alice'), '', '--no-sessionid')
      expect(result.code).to.not.equal(0)
    })
  }

  it('vsftpd has no MLSD, the others have', async () => {
    for (const kind of ['proftpd', 'vsftpd', 'pure-ftpd'] as const) {
      const daemon = lab.daemon(kind)
      const result = await curl(daemon, daemon.account('alice'), '', '--request', 'MLSD')
      expect(result.code === 0, kind).to.equal(kind !== 'vsftpd')
    }
  })

  it('leaves nothing behind when its owner is killed', async () => {
    const owner = spawn(process.execPath, ['--import', 'tsx', path.join(import.meta.dirname, 'main.ts'), 'sshd'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    for await (const line of createInterface({ input: owner.stdout })) {
      text += `${line}\n`
      if (line.startsWith('Ready')) break
    }
    const pid = Number(/ pid (\d+)/.exec(text)?.[1])
    const folder = /\/tmp\/ftpcluster-lab-\w+/.exec(text)?.[0] ?? ''
    expect(existsSync(`/proc/${pid}`)).to.equal(true)
    expect(existsSync(folder)).to.equal(true)
    owner.kill('SIGKILL')
    await until('daemon and folder are gone', () => !existsSync(`/proc/${pid}`) && !existsSync(folder))
  })
})
