import { spawn } from 'node:child_process'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { Secret, TOTP } from 'otpauth'
import { withServices, type Services } from '../../src/cli/services.js'
import { loadConfig } from '../../src/config/config.js'
import { startEmbeddedSftpServer } from '../../src/demo/embedded-sftp-server.js'
import { runCli, type Outcome, type Surroundings } from '../support/cli.js'
import { actor, OTHER_FINGERPRINT, temporaryFolder } from '../support/services.js'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

describe('the ftpcluster command', function () {
  // Passwords are hashed with bcrypt's full cost, and processes load TypeScript.
  this.timeout(60_000)
  let folder: string
  let remove: () => Promise<void>

  beforeEach(async () => ({ folder, remove } = await temporaryFolder()))
  afterEach(() => remove())

  const run = (args: string[], surroundings?: Surroundings) =>
    runCli(args, { FTPCLUSTER_DATA_DIR: join(folder, 'data') }, surroundings)

  function runProcess(args: string[], input: string): Promise<Outcome> {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('FTPCLUSTER_'))
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], {
      cwd: PROJECT,
      env: { ...Object.fromEntries(inherited), FTPCLUSTER_DATA_DIR: join(folder, 'data') },
    })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.stdin.end(input)
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve({ code, out, err }))
    })
  }

  it('ends as a process with 0, 1 or 2, and keeps what it makes private', async () => {
    const made = await runProcess(['user', 'add', 'admin', '--role', 'admin'], 'password-1\n')
    expect([made.code, made.out], made.err).to.deep.equal([0, ''])
    expect((await runProcess(['user', 'remove', 'admin'], '')).code).to.equal(1)
    expect((await runProcess(['user', 'add', 'user1'], 'short')).code).to.equal(2)
    expect((await stat(join(folder, 'data'))).mode & 0o777).to.equal(0o700)
  })

  it('makes, changes and removes users, with passwords from a pipe, a variable or a file', async () => {
    const made = await run(['user', 'add', 'admin', '--role', 'admin'], { input: 'password-1\n' })
    expect(made.code, made.err).to.equal(0)
    expect(made.err).to.include('master.key').and.not.include('password-1')
    const env = { SECRET: 'password-2' }
    expect((await run(['user', 'add', 'user1', '--password-env', 'SECRET'], { env })).code).to.equal(0)
    await writeFile(join(folder, 'secret'), 'password-3\n')
    expect((await run(['user', 'passwd', 'user1', '--password-file', join(folder, 'secret')])).code).to.equal(0)
    expect((await run(['user', 'list'])).out).to.equal(
      ['USER   ROLE   STATE', 'admin  admin  active', 'user1  user   active', ''].join('\n'),
    )
    const last = await run(['user', 'remove', 'admin'])
    expect([last.code, last.err.trim()]).to.deep.equal([
      1,
      'admin is the last active admin: make another user an admin first.',
    ])
    expect((await run(['user', 'remove', 'user1'])).code).to.equal(0)
  })

  it('makes an app password, shows it once, lists and revokes it', async () => {
    await run(['user', 'add', 'user1'], { input: 'password-1' })
    const words = ['user', 'app-password', 'add', 'user1', 'backup script', '--read-only', '--expires-at', '2099-01-31']
    const made = await run(words)
    expect(made.code, made.err).to.equal(0)
    expect(made.out).to.match(/^ftpca_\w{8}_\w{28}\n$/)
    const listed = await run(['user', 'app-password', 'list', 'user1'])
    expect(listed.out).to.match(/^1 +backup script +all +read-only +2099-01-31T23:59:59.999Z +never$/m)
    const json = await run(['user', 'app-password', 'list', 'user1', '--json'])
    expect([listed.out, json.out, listed.err].join()).to.not.include(made.out.trim().split('_')[2])
    expect((await run(['user', 'app-password', 'revoke', 'user1', '1'])).code).to.equal(0)
    expect((await run(['user', 'app-password', 'list', 'user1'])).out).to.not.include('backup')
    expect((await run(['user', 'app-password', 'revoke', 'user1', '1'])).code, 'gone').to.equal(1)
    expect((await run(['user', 'app-password', 'revoke', 'user1', 'x'])).code).to.equal(2)
    const wrong = await run(['user', 'app-password', 'add', 'user1', 'x', '--server', 'none'])
    expect([wrong.code, wrong.out]).to.deep.equal([1, ''])
  })

  it('resets a second factor, and says when there is none', async () => {
    await run(['user', 'add', 'user1'], { input: 'password-1' })
    const reset = await run(['user', 'reset-second-factor', 'user1'])
    expect([reset.code, reset.err.trim()]).to.deep.equal([0, 'user1 has no second factor: nothing was changed.'])
    await withServices(loadConfig({ FTPCLUSTER_DATA_DIR: join(folder, 'data') }), () => {}, switchOn)
    const second = await run(['user', 'reset-second-factor', 'user1'])
    expect([second.code, second.err.trim()]).to.deep.equal([0, 'The second factor of user1 was reset.'])
    const users = JSON.parse((await run(['user', 'list', '--json'])).out) as { hasSecondFactor: boolean }[]
    expect(users.map(({ hasSecondFactor }) => hasSecondFactor)).to.deep.equal([false])
  })

  async function switchOn({ users, secondFactor }: Services): Promise<void> {
    const id = (await users.find('user1'))?.id ?? 0
    const { secret } = await secondFactor.begin(id, actor)
    await secondFactor.confirm(id, new TOTP({ secret: Secret.fromBase32(secret) }).generate(), actor)
  }

  it('takes no password from the list of arguments', async () => {
    const result = await run(['user', 'add', 'user1', '--password', 'password-1'])
    expect(result.code).to.equal(2)
    expect(result.err).to.include(`unknown option '--password'`)
  })

  it('ends with 2, naming field and fix, when called or fed wrongly', async () => {
    const wrong: [string[], string][] = [
      [['user', 'add', 'User1'], 'username: must be'],
      [['user', 'add', 'user1'], 'password: must have at least 8 characters'],
      [['user', 'add', 'user1', '--password-env', 'NOT_SET'], 'password: the environment variable NOT_SET is not set'],
      [['user', 'add'], `missing required argument 'username'`],
      [['nonsense'], `unknown command 'nonsense'`],
      [['server', 'add', 's', '--protocol', 'sftp', '--host', 'h'], 'trust: is required for sftp'],
      [['apply', join(folder, 'none.yaml')], 'cannot be read (ENOENT)'],
    ]
    const results = await Promise.all(wrong.map(([args]) => run(args, { input: 'short' })))
    for (const [index, [args, text]] of wrong.entries()) {
      expect(results[index]?.code, args.join(' ')).to.equal(2)
      expect(results[index]?.err)
        .to.include(text)
        .and.not.match(/^\s+at /m)
    }
  })

  it('says which version it is, whatever the configuration', async () => {
    const { version } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8')) as { version: string }
    const env = { FTPCLUSTER_PORT: 'none' }
    expect(await run(['--version'], { env })).to.deep.equal({ code: 0, out: `${version}\n`, err: '' })
  })

  it('ends with 2 on a wrong configuration, and with 0 on --help without one', async () => {
    const env = { FTPCLUSTER_PORT: 'eighty' }
    const result = await run(['user', 'list'], { env })
    expect([result.code, result.err]).to.satisfy(([code, err]: [number, string]) => code === 2 && err.includes('PORT'))
    expect(await run(['--help'], { env })).to.include({ code: 0, err: '' })
  })

  it('refuses a wrong master key, and makes nothing', async () => {
    const env = { FTPCLUSTER_MASTER_KEY: Buffer.alloc(32, 1).toString('base64') }
    expect((await run(['migrate'], { env })).code).to.equal(0)
    await run(['user', 'add', 'user1'], { env, input: 'password-1' })
    const wrong = await run(['user', 'list'], { env: { FTPCLUSTER_MASTER_KEY: Buffer.alloc(32, 2).toString('hex') } })
    expect([wrong.code, wrong.err.trim()]).to.deep.equal([
      1,
      'The master key is not the one that this database was encrypted with.',
    ])
    expect((await run(['user', 'list'])).err).to.include('The master key is missing')
  })

  it('applies a cluster file once, and again without a change', async () => {
    const file = join(folder, 'cluster.yaml')
    await writeFile(
      file,
      `servers:
  - { alias: server2, protocol: sftp, host: 127.0.0.1, port: 2222, trust: { firstUse: true }, adminUser: root, adminPassword: { env: ADMIN } }
users:
  - { username: user1, password: { file: user1.secret } }
permissions:
  - { user: user1, server: server2, password: geheim, root: projects }
`,
    )
    await writeFile(join(folder, 'user1.secret'), 'password-1\n')
    const env = { ADMIN: 'geheim' }
    const lines = '+ server server2\n+ user user1\n+ permission user1 on server2\n'
    const dry = await run(['apply', file, '--dry-run'], { env })
    expect([dry.code, dry.out], dry.err).to.deep.equal([0, lines])
    expect(await readdir(folder), 'made by a dry run').to.not.include('data')
    expect((await run(['user', 'list'])).out).to.not.include('user1')
    const first = await run(['apply', file], { env })
    expect([first.code, first.out]).to.deep.equal([0, lines])
    expect(first.err).to.include('ftpcluster server test "server2"')
    const second = await run(['apply', file], { env })
    expect([second.code, second.out]).to.deep.equal([0, ''])
    const missing = await run(['apply', file])
    expect([missing.code, missing.err.trim()]).to.deep.equal([
      2,
      'servers[0].adminPassword: the environment variable ADMIN is not set',
    ])
  })

  it('tests a server step by step, and records whom to trust', async () => {
    const embedded = await startEmbeddedSftpServer({ users: [{ username: 'root', password: 'geheim', root: folder }] })
    try {
      const env = { FTPCLUSTER_ALLOW_NETWORKS: '127.0.0.0/8', ADMIN: 'geheim' }
      const address = ['--host', '127.0.0.1', '--port', String(embedded.port), '--protocol', 'sftp']
      const login = ['--admin-user', 'root', '--admin-password-env', 'ADMIN']
      const added = await run(['server', 'add', 'first', '--first-use', ...address, ...login], { env })
      expect([added.code, added.err]).to.satisfy(
        ([code, err]: [number, string]) => code === 0 && err.includes('ftpcluster server test first'),
      )
      const tested = await run(['server', 'test', 'first'], { env })
      expect(tested.code, tested.err).to.equal(0)
      expect(tested.out.match(/^\w+ +ok +\d+ ms /gm)).to.have.length(4)
      expect((await run(['server', 'show', 'first', '--json'], { env })).out)
        .to.include(embedded.fingerprint)
        .and.include('"firstUse": true')

      await run(['server', 'add', 'second', '--fingerprint', OTHER_FINGERPRINT, ...address], { env })
      expect((await run(['server', 'test', 'second'], { env })).code).to.equal(1)
      const shown = await run(['server', 'trust', 'second'], { env })
      expect([shown.code, shown.out]).to.deep.equal([0, embedded.fingerprint + '\n'])
      expect((await run(['server', 'test', 'second'], { env })).code, 'shown, not recorded').to.equal(1)
      expect((await run(['server', 'trust', 'second', '--accept'], { env })).code).to.equal(0)
      expect((await run(['server', 'test', 'second'], { env })).code).to.equal(0)
      expect((await run(['server', 'test', 'second'])).out, 'without leave for loopback').to.include('not allowed')
    } finally {
      await embedded.close()
    }
  })

  it('finds out what is not in order', async () => {
    await run(['migrate'])
    const before = await run(['doctor'])
    expect([before.code, before.out], before.err).to.satisfy(
      ([code, out]: [number, string]) => code === 1 && /^FAIL database: .*no master key yet/m.test(out),
    )
    await run(['user', 'list'])
    const sound = await run(['doctor'])
    expect([sound.code, sound.out]).to.satisfy(
      ([code, out]: [number, string]) => code === 0 && /^ok {3}database: sound/m.test(out),
    )
    await writeFile(join(folder, 'data', 'ftpcluster.sqlite'), 'no database at all, and long enough to be read as one')
    const damaged = await run(['doctor'])
    expect([damaged.code, damaged.out]).to.satisfy(
      ([code, out]: [number, string]) => code === 1 && /^FAIL database: .*damaged/m.test(out),
    )
  })
})
