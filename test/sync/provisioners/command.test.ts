import { expect } from 'chai'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openProvisioner } from '../../../src/sync/open-provisioner.js'
import { provisionerSettings } from '../../../src/sync/provisioner-settings.js'
import { labFor } from '../../lab/lab.js'
import { plantCommands } from '../accounts-command.js'
import { accountOnMachine } from '../lab-accounts.js'
import { connectTo, drivers, provisionerOf } from '../managed-server.js'
import { describeProvisioner } from '../provisioner-conformance.js'

describeProvisioner('Accounts by commands of the admin', async function () {
  const lab = await labFor(this, { daemons: ['sshd'], machine: true })
  const { homes, root } = lab.machine
  const foreign = { name: 'foreigner', password: 'not-yours' }
  await accountOnMachine(lab.machine, foreign)
  const server = lab.daemon('sshd')
  const commands = await plantCommands(lab.scratch)
  return {
    open: provisionerOf({ server, admin: root, settings: { kind: 'command', homeBase: homes, commands } }),
    connect: connectTo(server),
    local: (remote) => remote,
    foreign,
    reserved: ['root', 'daemon', 'steward', 'nobody'],
    stop: () => lab.stop(),
  }
})

describe('commands on the gateway', function () {
  this.timeout(20_000)
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ftpcluster-commands-'))
    await script(
      'read',
      `echo '[{"name":"there","state":"enabled","uid":1500},{"name":"low","state":"enabled","uid":7}]'`,
    )
    await script('tell', `printf '%s\\0' "$@" >told; env >environment; cat >input`)
    await script('fail', 'read -r line; echo "no: $line" >&2; exit 9')
    await script('taken', 'exit 3')
    await script('forever', 'sleep 600')
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const script = (name: string, text: string) =>
    writeFile(path.join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  const told = (name: string) => readFile(path.join(folder, name), 'utf8')
  const endpoint = { protocol: 'ftp', host: '127.0.0.1', port: 21, trust: { kind: 'none' } } as const
  const open = (commands: object, more: object = { commandsFolder: folder }) =>
    openProvisioner({
      drivers,
      server: { endpoint, admin: undefined },
      settings: provisionerSettings.parse({
        kind: 'command',
        where: 'gateway',
        commands: { read: ['read'], ...commands },
      }),
      ...more,
    })
  const codeOf = (work: Promise<unknown> | undefined) =>
    (work ?? Promise.resolve()).then(
      () => 'nothing',
      (error: { code: string }) => error.code,
    )
  const secret = { kind: 'password', password: 'canary {name} $(id)' } as const

  it('get arguments as they are, the secret on their input, and nothing of the gateway’s environment', async () => {
    const create = ['tell', '{name}', 'at {home};', '$(id) {mark} {other}', '']
    const provisioner = await open({ create })
    await provisioner.create?.({ name: 'new', home: '/home/new', secret, mark: 'm-1' }, {})
    expect((await told('told')).split('\0').slice(0, -1)).to.deep.equal([
      'new',
      'at /home/new;',
      '$(id) m-1 {other}',
      '',
    ])
    expect(await told('input')).to.equal('canary {name} $(id)\n')
    const names = (await told('environment'))
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
    expect(names.filter((name) => !['PWD', '_', 'SHLVL', 'OLDPWD'].includes(name ?? '')).sort()).to.deep.equal([
      'LC_ALL',
      'PATH',
    ])
  })

  it('lie in one folder that the configuration names, or are not run', async () => {
    expect(await codeOf(open({}, {}))).to.equal('UNSUPPORTED')
    for (const program of ['/bin/sh', '../sh', '..', 'a/b', '']) {
      const provisioner = await open({ disable: [program, '{name}'] })
      expect(await codeOf(provisioner.disable?.('there', {})), program).to.equal('REFUSED')
    }
    const provisioner = await open({ disable: ['absent'] })
    expect(await codeOf(provisioner.disable?.('there', {}))).to.equal('TOOL_MISSING')
  })

  it('are not run for an account that the server says is the system’s', async () => {
    await rm(path.join(folder, 'told'), { force: true })
    const provisioner = await open({ disable: ['tell', '{name}'] })
    expect(await codeOf(provisioner.disable?.('low', {}))).to.equal('REFUSED')
    expect(await codeOf(told('told'))).to.equal('ENOENT')
  })

  it('say by exit codes what is wrong, and their words hold no secret', async () => {
    const provisioner = await open({ create: ['taken'], setSecret: ['fail'] })
    const account = { name: 'new', home: '/home/new', secret }
    expect(await codeOf(provisioner.create?.(account, {}))).to.equal('NAME_TAKEN')
    const error = await provisioner.setSecret?.('there', secret, {}).catch((thrown: unknown) => thrown)
    expect(error).to.include({ code: 'PROTOCOL', message: 'fail failed (9): no: ***' })
  })

  it('end at their deadline with all that they started', async () => {
    const provisioner = await open({ disable: ['forever'] }, { commandsFolder: folder, deadline: 300 })
    expect(await codeOf(provisioner.disable?.('there', {}))).to.equal('TIMED_OUT')
  })
})
