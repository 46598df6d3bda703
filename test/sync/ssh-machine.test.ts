import { expect } from 'chai'
import type { Login } from '../../src/storage/driver.js'
import type { Machine } from '../../src/sync/machine.js'
import { openSshMachine } from '../../src/sync/ssh-machine.js'
import { Tools } from '../../src/sync/tools.js'
import { labFor, type Lab } from '../lab/lab.js'
import { drivers } from './managed-server.js'

const STRANGE = [`it's`, '$(id)', '`id`', '"', '\\', 'a\nb', '*', '~', '', '-x', '; exit 3', '\u{1f600}', 'tab\there']

describe('programs over SSH', function () {
  this.timeout(30_000)
  let lab: Lab
  before(async function () {
    lab = await labFor(this, { daemons: ['sshd'], machine: true })
  })
  after(() => lab?.stop())

  const open = (login: Login, deadline?: number) =>
    openSshMachine(lab.daemon('sshd').endpoint, login, { drivers, deadline })
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'nothing',
      (error: { code: string }) => error.code,
    )
  async function withMachine<T>(login: Login, use: (machine: Machine) => Promise<T>, deadline?: number): Promise<T> {
    const machine = await open(login, deadline)
    try {
      return await use(machine)
    } finally {
      await machine.close()
    }
  }

  it('get exactly the arguments and the input that were sent', async () => {
    await withMachine(lab.machine.steward, async (machine) => {
      const { stdout } = await machine.run(['printf', '%s\\0', ...STRANGE])
      expect(stdout.split('\0').slice(0, -1)).to.deep.equal(STRANGE)
      const input = STRANGE.join('\n')
      expect(await machine.run(['cat'], { input })).to.deep.equal({ code: 0, stdout: input, stderr: '' })
      expect((await machine.run(['sh', '-c', 'echo no >&2; exit 7'])).code).to.equal(7)
    })
  })

  it('are never run for a server with another host key', async () => {
    const endpoint = {
      ...lab.daemon('sshd').endpoint,
      trust: { kind: 'pinned', fingerprints: ['SHA256:other'] },
    } as const
    expect(await codeOf(openSshMachine(endpoint, lab.machine.root, { drivers }))).to.equal('UNTRUSTED')
  })

  it('tell a refused login from a server that is not there', async () => {
    expect(await codeOf(open({ username: 'steward', password: 'wrong' }))).to.equal('LOGIN_REJECTED')
    const endpoint = { ...lab.daemon('sshd').endpoint, port: 1 }
    expect(await codeOf(openSshMachine(endpoint, lab.machine.root, { drivers }))).to.equal('UNREACHABLE')
  })

  it('end at a deadline, at a bound of output and with the connection', async () => {
    const { steward } = lab.machine
    expect(await codeOf(withMachine(steward, (machine) => machine.run(['sleep', '600']), 700))).to.equal('TIMED_OUT')
    expect(await codeOf(withMachine(steward, (machine) => machine.run(['cat', '/dev/zero'])))).to.equal('PROTOCOL')
    const stop = new AbortController()
    const stopped = withMachine(steward, (machine) => {
      const work = machine.run(['sleep', '600'], { signal: stop.signal })
      stop.abort()
      return work
    })
    expect(await codeOf(stopped)).to.equal('ABORTED')
    const killed = withMachine(lab.machine.root, (machine) =>
      machine.run(['sh', '-c', 'kill -9 "$(ps -o ppid= -p $$)"']),
    )
    expect(await codeOf(killed)).to.be.oneOf(['UNREACHABLE', 'PROTOCOL'])
  })

  it('run with root’s rights only as far as sudo permits', async () => {
    await lab.machine.grant('ALL=(root) NOPASSWD: /usr/bin/id -u')
    await withMachine(lab.machine.steward, async (machine) => {
      const tools = await Tools.of(machine, 'steward')
      expect(await tools.must(['id', '-u'])).to.equal('0\n')
      expect(await codeOf(tools.must(['id', '-g']))).to.equal('DENIED')
      expect(await codeOf(tools.must(['/usr/sbin/chpasswd']))).to.equal('DENIED')
      expect(await codeOf(tools.plain(['no-such-program']))).to.equal('TOOL_MISSING')
      expect(await codeOf(tools.plain(['/etc/passwd']))).to.equal('DENIED')
      await lab.machine.grant('ALL=(root) NOPASSWD: ALL')
      expect(await codeOf(tools.must(['no-such-program']))).to.equal('TOOL_MISSING')
      await lab.machine.grant()
      expect(await codeOf(tools.must(['id', '-u']))).to.equal('DENIED')
    })
  })

  it('repeat no secret in an error', async () => {
    await withMachine(lab.machine.steward, async (machine) => {
      await lab.machine.grant('ALL=(root) NOPASSWD: ALL')
      const tools = await Tools.of(machine, 'steward')
      const input = 'canary-4711\n'
      const script = 'read -r line; echo "bad: $line \\$6\\$salt\\$hash" >&2; exit 9'
      const work = tools.must(['sh', '-c', script], { input, secrets: ['canary-4711'] })
      const error = await work.catch((thrown: unknown) => thrown as Error)
      expect(error).to.include({ code: 'PROTOCOL', message: 'sh failed (9): bad: *** ***' })
    })
  })
})
