import { expect } from 'chai'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../lab/ports.js'
import { runCli } from '../support/cli.js'
import { temporaryFolder } from '../support/services.js'

/** Accounts as files: their state, home and mark. What it gets as a password is kept in another file. */
const PROGRAM = `#!/bin/sh
step=$1 name=$2 home=$3 mark=$4
case $step in
read)
  [ ! -e broken ] || { echo 'the disk is gone' >&2; exit 9; }
  list=
  for file in account-*; do
    [ -e "$file" ] || continue
    read -r state home mark <"$file"
    list="$list\${list:+,}$(printf '{"name":"%s","state":"%s","home":"%s","mark":"%s","homeReady":true}' \\
      "\${file#account-}" "$state" "$home" "$mark")"
  done
  echo "[$list]" ;;
create) read -r password; echo "$password" >>passwords; echo "enabled $home $mark" >"account-$name" ;;
secret) read -r password; echo "$password" >>passwords ;;
disable) sed -i s/enabled/disabled/ "account-$name" ;;
enable) sed -i s/disabled/enabled/ "account-$name" ;;
esac
`

describe('ftpcluster sync', function () {
  this.timeout(60_000)
  let folder: string
  let commands: string
  let remove: () => Promise<void>

  beforeEach(async () => {
    ;({ folder, remove } = await temporaryFolder())
    commands = join(folder, 'commands')
    await mkdir(commands)
    await writeFile(join(commands, 'accounts'), PROGRAM, { mode: 0o755 })
    const command = (...words: string[]) => ['accounts', ...words]
    const settings = {
      ...{ kind: 'command', where: 'gateway', homeBase: '/home' },
      commands: {
        read: command('read'),
        create: command('create', '{name}', '{home}', '{mark}'),
        setSecret: command('secret', '{name}'),
        enable: command('enable', '{name}'),
        disable: command('disable', '{name}'),
      },
    }
    const cluster = {
      servers: [
        { alias: 'alpha', protocol: 'ftp', host: '127.0.0.1', port: await freePort(), provisioner: { settings } },
      ],
      users: ['anna', 'bert'].map((username) => ({ username, password: `a password of ${username}` })),
      permissions: ['anna', 'bert'].map((user) => ({ user, server: 'alpha', managed: true })),
    }
    const file = join(folder, 'cluster.yaml')
    await writeFile(file, JSON.stringify(cluster), { mode: 0o600 })
    const applied = await run('apply', file)
    expect(applied.code, applied.err).to.equal(0)
  })
  afterEach(() => remove())

  const run = (...args: string[]) =>
    runCli(args, {
      FTPCLUSTER_DATA_DIR: join(folder, 'data'),
      FTPCLUSTER_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
      FTPCLUSTER_ALLOW_NETWORKS: '127.0.0.0/8',
      FTPCLUSTER_SYNC_COMMANDS_FOLDER: commands,
    })
  const sync = (...args: string[]) => run('sync', ...args)
  const account = (name: string) => join(commands, `account-${name}`)

  it('plan shows what there is to do and ends with 3, apply does it, and then there is nothing: 0', async () => {
    const plan = await sync('plan')
    expect(plan.code).to.equal(3)
    expect(plan.out).to.match(/^alpha +create +anna: is not there yet/m)
    expect(plan.err).to.match(/Plan (\d+): 4 steps, 0 of them take something away\.\nTo do it: .* --plan \1\n/)
    const applied = await sync('apply')
    expect(applied.code, applied.err).to.equal(0)
    expect(applied.out).to.match(/^done +create +anna$/m)
    expect(await readFile(account('anna'), 'utf8')).to.match(/^enabled \/home\/anna ftpcluster-/)
    expect(await sync('plan')).to.deep.equal({ code: 0, out: '', err: 'Everything is in step.\n' })
    expect((await sync('apply')).err).to.include('Nothing to do.')
  })

  for (const verb of ['plan', 'apply', 'status', 'adopt', 'rotate']) {
    it(`${verb} --help has an example and tells the exit codes`, async () => {
      const { code, out } = await sync(verb, '--help')
      expect(code).to.equal(0)
      expect(out)
        .to.include(`  ftpcluster sync ${verb}`)
        .and.match(/Exit codes:\n {2}0 {2}\w[^]*\n {2}1 {2}\w[^]*\n {2}2 {2}the options are wrong/)
    })
  }

  it('apply --plan does what that plan showed, once', async () => {
    const { out } = await sync('plan', '--json')
    const { id } = JSON.parse(out) as { id: number }
    expect((await sync('apply', '--plan', String(id))).code).to.equal(0)
    const again = await sync('apply', '--plan', String(id))
    expect([again.code, again.err.includes('applied or given up already')]).to.deep.equal([1, true])
    expect((await sync('apply', '--plan', '999')).code).to.equal(1)
    expect((await sync('apply', '--plan', 'x')).code).to.equal(2)
  })

  it('plan and apply end with 4 when a server could not be read, and say why', async () => {
    await writeFile(join(commands, 'broken'), '')
    for (const verb of ['plan', 'apply']) {
      const { code, err } = await sync(verb)
      expect([code, err.includes('Not read: alpha.')], err).to.deep.equal([4, true])
    }
    expect((await sync('status')).err).to.include('the disk is gone')
  })

  it('status shows each account without asking a server', async () => {
    await sync('apply')
    await rm(commands, { recursive: true })
    const { code, out } = await sync('status')
    expect(code).to.equal(0)
    expect(out).to.match(/^alpha +anna +anna +in-step/m)
    const json = JSON.parse((await sync('status', '--server', 'alpha', '--json')).out) as { accounts: object[] }[]
    expect(json[0]?.accounts).to.have.length(2)
    expect((await sync('status', '--server', 'none')).code).to.equal(1)
  })

  it('adopt takes over what is there, by name, and changes nothing there', async () => {
    await writeFile(account('anna'), 'enabled /srv/anna -\n')
    expect((await sync('plan')).out).to.match(/\(adopt\) +anna/)
    const adopted = await sync('adopt', 'alpha', 'anna')
    expect(adopted.code, adopted.err).to.equal(0)
    expect(await readFile(account('anna'), 'utf8')).to.equal('enabled /srv/anna -\n')
    expect((await sync('plan')).out).to.match(/set-secret +anna: has no secret of the gateway yet/)
    expect((await sync('adopt', 'alpha', 'anna')).code, 'again').to.equal(1)
    expect((await sync('adopt', 'alpha', 'carla')).code, 'not there').to.equal(1)
  })

  it('rotate gives one account a new secret, which waits where the server lets nobody try it: 4', async () => {
    const nothing = await sync('rotate')
    expect([nothing.code, nothing.err.includes('None of these')]).to.deep.equal([1, true])
    await sync('apply')
    expect((await sync('rotate', '--account', 'anna')).code, 'no server').to.equal(2)
    expect((await sync('rotate', '--server', 'alpha', '--account', 'carla')).code, 'no account').to.equal(1)
    const rotated = await sync('rotate', '--server', 'alpha', '--account', 'anna')
    expect(rotated.code, rotated.err).to.equal(4)
    expect(rotated.out).to.match(/^queued +set-secret +anna: /)
    const passwords = (await readFile(join(commands, 'passwords'), 'utf8')).trim().split('\n')
    expect(new Set(passwords).size).to.equal(3)
    for (const password of passwords) expect(rotated.out + rotated.err).to.not.include(password)
  })
})
