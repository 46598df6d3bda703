import { expect } from 'chai'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../support/upload.js'
import { AccountsLab, type Person } from './accounts-lab.js'

/** `FTPCLUSTER_ACCOUNTS=many`: as many users, kills and secrets as the product promises for. */
const MANY = process.env['FTPCLUSTER_ACCOUNTS'] === 'many'
const [USERS, APPLIES, KILLS, CLIENTS] = MANY ? [50, 5, 4, 20] : [12, 1, 3, 0]

interface Plan {
  readonly id: number
  readonly state: string
  readonly servers: readonly { alias: string; serverId: number; problem?: string; steps: readonly object[] }[]
  readonly results: readonly { serverId: number; state: string; account: string; kind: string; reason: string | null }[]
}

describe('accounts in step while things break', function () {
  this.timeout(MANY ? 3_600_000 : 240_000)
  let accounts: AccountsLab

  before(async function () {
    accounts = await AccountsLab.start(this, {
      FTPCLUSTER_SYNC_PAUSE: '500ms',
      FTPCLUSTER_SYNC_MAX_PAUSE: '1s',
      FTPCLUSTER_LIMITS_API_REQUESTS: '1000000',
    })
  })
  after(() => accounts?.stop())

  const people = (prefix: string, count: number): Person[] =>
    Array.from({ length: count }, (_, n) => ({ username: `${prefix}${n}`, password: `the password of ${prefix}${n}` }))
  const plan = (logins = false) => accounts.api<Plan>('POST', '/sync/plans', { logins })
  const apply = ({ id }: Plan) => accounts.api<Plan>('POST', `/sync/plans/${id}/apply`)
  const read = ({ id }: Plan) => accounts.api<Plan>('GET', `/sync/plans/${id}`)
  const done = async (started: Plan) => {
    await eventually('every step was done', 600, async () => (await read(started)).state !== 'running')
    const { state, results } = await read(started)
    expect(state, JSON.stringify(results.filter(({ state }) => state !== 'done'))).to.equal('done')
  }
  const stepsIn = ({ servers }: Plan) => servers.flatMap(({ steps }) => steps)

  /** Each account once, in each of the files. */
  async function expectOnce(who: readonly Person[]): Promise<void> {
    const { machine } = accounts.lab
    const files = {
      sshd: path.join(machine.etc, 'passwd'),
      vsftpd: path.join(machine.etc, 'passwd'),
      proftpd: accounts.lab.daemon('proftpd').authUserFile,
      'pure-ftpd': path.join(machine.etc, 'pure-ftpd/pureftpd.passwd'),
    }
    for (const [alias, file] of Object.entries(files)) {
      const entries = (await readFile(file, 'utf8'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split(':'))
      const names = entries.map(([name]) => name)
      expect(new Set(names).size, file).to.equal(names.length)
      for (const { username } of who) expect(names).to.include(accounts.login(username, alias))
      const uids = entries.flatMap(([name = '', , uid]) => (/^[a-z]+\d+-[svpu]$/.test(name) ? [uid] : []))
      expect(new Set(uids).size, `uids in ${file}`).to.equal(uids.length)
    }
  }

  async function expectWorking(who: readonly Person[]): Promise<void> {
    for (const person of who) {
      for (const { kind } of accounts.servers) {
        const { status, text } = await accounts.ask(person, 'PUT', accounts.gateway.dav(kind, 'note.txt'), 'hello')
        expect(status, `${person.username} on ${kind}: ${text}`).to.be.oneOf([201, 204])
      }
    }
  }

  it(`makes those of ${USERS} users on three servers while the fourth is stopped, and there when it is back`, async () => {
    const crowd = people('crowd', USERS)
    await accounts.grant(crowd)
    const planned = await plan()
    expect(stepsIn(planned)).to.have.length(USERS * 8)
    const began = Date.now()
    await apply(planned)
    const down = planned.servers.find(({ alias }) => alias === 'vsftpd')?.serverId ?? 0
    const there = async () => (await read(planned)).results.filter(({ serverId }) => serverId === down)
    await eventually('the fourth has begun', 60, async () => (await there()).some(({ state }) => state === 'done'))
    await accounts.wayToVsftpd.stop()
    await eventually('the other three are through', 600, async () => {
      const { results } = await read(planned)
      return results.every(({ serverId, state }) => serverId === down || state === 'done')
    })
    const others = Date.now() - began
    const waiting = (await there()).filter(({ state }) => state !== 'done')
    expect(waiting).to.not.have.length(0)
    expect([...new Set(waiting.map(({ state }) => state))]).to.deep.equal(['queued'])
    await eventually('it is said why', 30, async () =>
      (await there()).every(({ state, reason }) => state === 'done' || reason),
    )
    await accounts.wayToVsftpd.start()
    await done(planned)
    process.stdout.write(
      `      ${USERS} users: three servers in ${others} ms, ${waiting.length} steps waited, all in ${Date.now() - began} ms\n`,
    )
    expect(stepsIn(await plan(!MANY))).to.deep.equal([])
    await expectOnce(crowd)
    await expectWorking(crowd.slice(0, 2))
  })

  it(`goes on after ${APPLIES * KILLS} kills of the gateway, makes nothing twice and loses nothing`, async () => {
    const everybody: Person[] = []
    const moments: string[] = []
    for (let n = 0; n < APPLIES; n++) {
      const some = people(`kill${'abcde'[n]}`, 2)
      everybody.push(...some)
      await accounts.grant(some)
      const planned = await plan()
      const { length } = stepsIn(planned)
      await apply(planned)
      const finished = async () => (await read(planned)).results.filter(({ state }) => state === 'done').length
      for (let kill = 0; kill < KILLS; kill++) {
        const enough = Math.floor(((kill + Math.random()) / KILLS) * length)
        await eventually(`${enough} steps are done`, 120, async () => (await finished()) >= enough)
        await delay(Math.random() * 300)
        await accounts.gateway.kill()
        await accounts.gateway.serve()
        moments.push(`${await finished()}/${length}`)
      }
      await done(planned)
      expect(stepsIn(await plan())).to.deep.equal([])
    }
    process.stdout.write(`      steps done when it was back: ${moments.join(' ')}\n`)
    await expectOnce(everybody)
    await expectWorking(everybody)
  })

  if (CLIENTS > 0) {
    it(`changes ${CLIENTS} secrets while a client works on each, without a failed request`, async () => {
      const who = people('turn', CLIENTS / 4)
      await accounts.grant(who)
      const planned = await plan()
      await apply(planned)
      await done(planned)
      await expectWorking(who)
      let working = true
      let requests = 0
      const failures: string[] = []
      const clients = who.flatMap((person) =>
        accounts.servers.map(async ({ kind }) => {
          for (let round = 0; working; round++) {
            const url = accounts.gateway.dav(kind, `round-${round % 3}.txt`)
            const { status } = await accounts.ask(person, 'PUT', url, String(round))
            requests++
            if (![201, 204].includes(status)) failures.push(`${person.username} ${kind} ${status}`)
          }
        }),
      )
      const names = new Set(
        who.flatMap(({ username }) => accounts.servers.map(({ kind }) => accounts.login(username, kind))),
      )
      const { servers } = await accounts.api<{ servers: { accounts: { id: number | null; name: string }[] }[] }>(
        'GET',
        '/sync',
      )
      // Accounts of sshd are there on vsftpd too, and nobody’s.
      const ours = servers.flatMap(({ accounts }) => accounts).filter(({ id, name }) => id !== null && names.has(name))
      expect(ours).to.have.length(CLIENTS)
      try {
        for (const { id } of ours) {
          const { plan } = await accounts.api<{ plan: number }>('POST', '/sync/rotate', { accountId: id })
          await done({ id: plan } as Plan)
        }
      } finally {
        working = false
        await Promise.all(clients)
      }
      process.stdout.write(`      ${names.size} secrets, ${requests} requests, ${failures.length} failed\n`)
      expect(failures).to.deep.equal([])
    })
  }
})
