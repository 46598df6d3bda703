import { expect } from 'chai'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { newKeyPair } from '../../src/storage/sftp/key-pair.js'
import type { AccountSecret, Provisioner } from '../../src/sync/provisioner.js'
import { labFor, type Lab } from '../lab/lab.js'
import { provisionerOf, sshSettings } from './managed-server.js'

describe('the sudo lines of docs/accounts.md', function () {
  this.timeout(120_000)
  let lab: Lab
  let provisioner: Provisioner | undefined

  before(async function () {
    lab = await labFor(this, { daemons: ['sshd'], machine: true })
  })
  afterEach(() => provisioner?.close())
  after(() => lab?.stop())

  const call = () => ({ signal: AbortSignal.timeout(60_000) })

  /** The commands that an alias of the page names, for the folders of the lab. */
  async function commandsOf(alias: string, folders: Readonly<Record<string, string>>): Promise<string> {
    const page = await readFile(path.join(import.meta.dirname, '../../docs/accounts.md'), 'utf8')
    const [, commands] = new RegExp(`Cmnd_Alias ${alias} = ([^]*?)\nftpcluster ALL=`).exec(page) ?? []
    if (commands === undefined) throw new Error(`The page has no alias ${alias}.`)
    let text = commands.replaceAll(/\\\n\s*/g, '')
    for (const [ours, theirs] of Object.entries(folders)) text = text.replaceAll(ours, theirs)
    return text
  }

  const open = (settings: object) => {
    const { steward, homes } = lab.machine
    const ssh = sshSettings(lab.daemon('sshd'), steward.username)
    const all = { ...settings, ssh, homeBase: homes }
    return provisionerOf({ server: lab.daemon('sshd'), settings: all, secret: { password: steward.password } })()
  }

  /** Everything that is done to an account in its life. */
  async function wholeLife(name: string, secrets: readonly AccountSecret[]): Promise<void> {
    const home = provisioner?.defaultHome(name) ?? ''
    const other = provisioner?.defaultHome(`${name}-moved`) ?? ''
    for (const secret of secrets) {
      await provisioner?.create?.({ name, home, secret, mark: 'mark-1' }, call())
      await provisioner?.makeHome(name, home, call())
      await provisioner?.setSecret?.(name, secret, call())
      await provisioner?.disable?.(name, call())
      await provisioner?.enable?.(name, call())
    }
    await provisioner?.setHome?.(name, other, call())
    await provisioner?.makeHome(name, other, call())
    const there = await provisioner?.read(call())
    expect(there?.find((account) => account.name === name)).to.include({ home: other, homeReady: true })
    await provisioner?.disable?.(name, call())
    await provisioner?.archiveHome?.(name, other, call())
    await provisioner?.remove?.(name, call())
    expect((await provisioner?.read(call()))?.map((account) => account.name)).to.not.include(name)
  }

  const password = { kind: 'password', password: 'Pw1-of-the-test' } as const

  it('are all that a file of accounts needs', async () => {
    const file = path.join(lab.machine.etc, 'proftpd/ftpd.passwd')
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, '', { mode: 0o600 })
    const commands = await commandsOf('FTPCLUSTER_FILES', { '/srv/ftp': lab.machine.homes })
    await lab.machine.grant(`ALL=(root) NOPASSWD: ${commands}`)
    provisioner = await open({ kind: 'proftpd-file' })
    await wholeLife('anna', [password])
    expect(await readFile(file, 'utf8')).to.equal('')
  })

  it('are all that Unix accounts need', async () => {
    const folders = { '/home/': `${lab.machine.homes}/` }
    const commands = await Promise.all(['FTPCLUSTER', 'FTPCLUSTER_KEYS'].map((alias) => commandsOf(alias, folders)))
    await lab.machine.grant(`ALL=(root) NOPASSWD: ${commands.join(', ')}`)
    await mkdir(path.join(lab.machine.etc, 'ssh/authorized_keys'), { recursive: true })
    provisioner = await open({ kind: 'system', authorizedKeys: '/etc/ssh/authorized_keys' })
    await wholeLife('bert', [password, { kind: 'key', publicKey: newKeyPair().publicKey }])
  })
})
