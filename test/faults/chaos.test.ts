import { expect } from 'chai'
import { randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { newSecret } from '../../src/auth/secret-text.js'
import { PASSWORD, USER } from '../support/drive.js'
import { eventually, temporaryFilesIn, upload, versionOf } from '../support/upload.js'
import { row } from './lab/figures.js'
import { grown, holdingsAtRest, inWords, PROBE } from './lab/holdings.js'
import { ask } from './lab/http-client.js'
import { Rig, type Station } from './lab/rig.js'
import { below, randomFrom } from '../soak/random.js'
import { waitedFor } from '../soak/strain.js'

/** `FAULTS=full` does it as often as release notes promise. */
const FULL = process.env['FAULTS'] === 'full'
const KILLS = FULL ? 200 : 12
const ABORTS = FULL ? 1_000 : 120
const LEAKS = FULL ? 10_000 : 240
const SIZE = 700_000
/** Who guesses: so many that nobody is refused for guessing too often. */
const GUESSERS = 120
/** As many of them guess passwords, which cost the gateway a hash each; the others guess tokens. */
const PASSWORD_GUESSERS = 20
const HEAP = 10 * 1024 * 1024
const SEED = Number(process.env['SOAK_SEED'] ?? randomInt(2 ** 31))
const random = randomFrom(SEED, 'chaos')

describe('a gateway that is killed and clients that give up', function () {
  this.timeout(FULL ? 7_200_000 : 300_000)
  let rig: Rig

  before(async function () {
    rig = await Rig.start(this, {
      daemons: ['proftpd', 'vsftpd', 'pure-ftpd', 'sshd'],
      env: {
        NODE_OPTIONS: PROBE,
        FTPCLUSTER_CACHE_TTL: '0s',
        FTPCLUSTER_POOL_IDLE: '2s',
        FTPCLUSTER_TRUST_PROXY: '127.0.0.1',
      },
    })
    process.stdout.write(`      SOAK_SEED=${SEED}\n`)
  })

  after(() => rig?.stop())

  row(
    22,
    'kill -9 again and again in loops of PUT, MOVE and DELETE loses nothing that was acknowledged',
    async (notes) => {
      const { gateway } = rig
      const ledgers = rig.stations.map((station) => new Ledger(station))
      const starts: number[] = []
      for (let i = 0; i < KILLS; i++) {
        let killed = false
        const loops = Promise.all(
          ledgers.map(async (ledger) => {
            while (!killed && !ledger.unsure) await ledger.step()
          }),
        )
        // In turns at work, and while it still logs in to its servers.
        if (i % 4 !== 0) await Promise.race([loops, ...ledgers.map((ledger) => ledger.nextAcknowledged())])
        await new Promise((resolve) => setTimeout(resolve, 20 + random() * 400))
        killed = true
        await gateway.kill()
        await loops
        const started = performance.now()
        await gateway.serve()
        // Less the time for which the machine had no processor for it.
        starts.push(performance.now() - started - waitedFor(gateway).waited)
        for (const ledger of ledgers) await ledger.reconcile()
      }
      starts.sort((a, b) => a - b)
      notes.within('start, median', starts[starts.length >> 1] ?? Infinity, 3_000)
      notes.within('slowest start', starts.at(-1) ?? Infinity, 10_000)
      const done = performance.now()
      for (const { alias, home } of rig.stations) {
        await eventually(`no temporary file on ${alias}`, 60, async () => (await temporaryFilesIn(home)).length === 0)
      }
      notes.atMost('last temporary file gone after', performance.now() - done, 60_000)
      const acknowledged = ledgers.reduce((sum, ledger) => sum + ledger.acknowledged, 0)
      expect(acknowledged, 'changes that could have been lost').to.be.greaterThan(KILLS / 2)
      notes.say(`${KILLS} kills, ${acknowledged} acknowledged changes, 0 lost, 0 torn`)
    },
  )

  row(38, 'transfers given up at random, then as many right answers on the same connections', async (notes) => {
    const connected = rig.stations.map(({ proxy }) => proxy.accepted)
    await Promise.all(
      rig.stations.map(async (station) => {
        const contents = [versionOf(1, SIZE), versionOf(2, SIZE - 1), versionOf(3, SIZE - 2)]
        for (const [i, content] of contents.entries()) await station.plant(`known-${i}`, content)
        for (let i = 0; i < ABORTS / rig.stations.length; i++) {
          const at = below(random, SIZE - 100_000)
          if (i % 2 === 0) {
            await station.ask('GET', `known-${i % 3}`, { onBytes: (bytes, cut) => (bytes > at ? cut() : undefined) })
          } else {
            const auth = `${USER}:${PASSWORD}`
            const body = versionOf(9, SIZE)
            const url = station.url('never')
            await upload({ url, auth, body, pauseAt: { bytes: at, then: (cut) => cut() } })
          }
          const n = i % 3
          const [start, end] = [i * 100, i * 100 + 999]
          const answer = await station.ask('GET', `known-${n}`, { headers: { Range: `bytes=${start}-${end}` } })
          expect(answer.status, station.alias).to.equal(206)
          expect(answer.headers['content-range']).to.equal(`bytes ${start}-${end}/${SIZE - n}`)
          expect(answer.body.equals(contents[n]?.subarray(start, end + 1) ?? Buffer.alloc(0))).to.equal(true)
        }
      }),
    )
    const fresh = rig.stations.reduce((sum, { proxy }, i) => sum + proxy.accepted - (connected[i] ?? 0), 0)
    notes.say(`${ABORTS} given up, ${ABORTS} answers right, over ${fresh} connections to the servers`)
    for (const { alias, home } of rig.stations) {
      expect(existsSync(path.join(home, 'never')), `${alias} has a file that never came whole`).to.equal(false)
    }
  })

  it('aborted GETs, PUTs and failed logins leave nothing behind', async () => {
    const refused = new Map<number | 'cut', number>()
    const guess = async (station: Station, i: number): Promise<void> => {
      const guesser = i % GUESSERS
      const headers = { 'X-Forwarded-For': `10.1.${guesser}.1` }
      const byPassword = guesser < PASSWORD_GUESSERS && i < 3 * GUESSERS
      const { status } = byPassword
        ? await ask({ method: 'PROPFIND', url: station.url(), auth: `nobody${guesser}:wrong`, headers })
        : await ask({
            method: 'GET',
            url: `${rig.gateway.url}/api/v1/me`,
            auth: '',
            headers: { ...headers, Authorization: `Bearer ${newSecret('api-token').secret}` },
          })
      refused.set(status, (refused.get(status) ?? 0) + 1)
    }
    const round = async (count: number): Promise<void> => {
      const each = rig.stations.length
      await Promise.all(
        rig.stations.map(async (station, offset) => {
          for (let i = offset; i < count; i += each) {
            const at = below(random, 200_000)
            await station.ask('GET', 'known-0', { onBytes: (bytes, cut) => (bytes > at ? cut() : undefined) })
            const auth = `${USER}:${PASSWORD}`
            const body = versionOf(9, 200_000)
            const pauseAt = { bytes: below(random, 130_000), then: (cut: () => void) => cut() }
            await upload({ url: station.url('never'), auth, body, pauseAt })
            await guess(station, i)
          }
        }),
      )
    }
    // Those who guess are remembered for a quarter of an hour, each.
    await round(GUESSERS)
    refused.clear()
    const before = await holdingsAtRest(rig)
    await round(LEAKS)
    let after = before
    await eventually('it holds what it held', 60, async () => {
      after = await holdingsAtRest(rig)
      return grown(before, after, HEAP).length === 0
    }).catch(() => expect(grown(before, after, HEAP)).to.deep.equal([]))
    const answers = [...refused].map(([status, count]) => `${count} × ${status}`).join(', ')
    process.stdout.write(`      ${LEAKS} of each, refused with ${answers}: ${inWords(before, after)}\n`)
    expect([...refused.keys()], 'answers to wrong passwords and tokens').to.have.members([401])
    for (const { alias, home } of rig.stations) {
      await eventually(`no temporary file on ${alias}`, 60, async () => (await temporaryFilesIn(home)).length === 0)
    }
  })

  it('none of it left a password or an unexpected error in the log', () => {
    expect(rig.gateway.log)
      .to.not.include('alice-secret')
      .and.not.match(/"level":(50|60)/)
  })
})

/** What one client knows of its files on one server. */
class Ledger {
  acknowledged = 0
  #onAcknowledged = () => undefined as void
  /** Content by name; absent names have none. */
  #known = new Map<string, Buffer>()
  /** What the change under way makes of names, when it is done. */
  #pending: ReadonlyMap<string, Buffer | undefined> | undefined
  #version = 0

  constructor(private readonly station: Station) {}

  /** Resolves with the next acknowledged change. */
  nextAcknowledged(): Promise<void> {
    return new Promise((resolve) => (this.#onAcknowledged = resolve))
  }

  /** The last change was neither acknowledged nor refused. */
  get unsure(): boolean {
    return this.#pending !== undefined
  }

  /** One change, acknowledged or not. */
  async step(): Promise<void> {
    const names = [...this.#known.keys()]
    const name = names[Math.floor(random() * names.length)]
    const choice = random()
    if (name === undefined || choice < 0.6) {
      const target = `ledger-${Math.floor(random() * 4)}`
      const body = versionOf(++this.#version, SIZE)
      await this.#change(new Map([[target, body]]), () => this.station.ask('PUT', target, { body }))
    } else if (choice < 0.85) {
      const target = `ledger-${4 + Math.floor(random() * 2)}`
      if (target === name) return
      const Destination = this.station.url(target)
      const after = new Map([
        [name, undefined],
        [target, this.#known.get(name)],
      ])
      await this.#change(after, () => this.station.ask('MOVE', name, { headers: { Destination } }))
    } else await this.#change(new Map([[name, undefined]]), () => this.station.ask('DELETE', name))
  }

  async #change(
    after: ReadonlyMap<string, Buffer | undefined>,
    act: () => Promise<{ status: number | 'cut' }>,
  ): Promise<void> {
    this.#pending = after
    const { status } = await act()
    // It may have happened; until the restart nothing more is tried.
    if (status === 'cut' || status >= 500) return
    expect(status, `${this.station.alias} answered`).to.be.oneOf([201, 204])
    this.acknowledged++
    this.#apply(after)
    this.#pending = undefined
    this.#onAcknowledged()
  }

  #apply(after: ReadonlyMap<string, Buffer | undefined>): void {
    for (const [name, content] of after) {
      if (content === undefined) this.#known.delete(name)
      else this.#known.set(name, content)
    }
  }

  /** After a restart: the disk holds what was acknowledged, with or without the change that was cut. */
  async reconcile(): Promise<void> {
    const pending = this.#pending
    this.#pending = undefined
    const before = new Map(this.#known)
    const done = new Map(this.#known)
    for (const [name, content] of pending ?? []) {
      if (content === undefined) done.delete(name)
      else done.set(name, content)
    }
    let disk = new Map<string, Buffer>()
    await eventually(`${this.station.alias} holds what was acknowledged`, 30, async () => {
      disk = await this.#disk()
      return equal(disk, before) || equal(disk, done)
    })
    this.#known = disk
  }

  async #disk(): Promise<Map<string, Buffer>> {
    const found = new Map<string, Buffer>()
    for (let i = 0; i < 6; i++) {
      const file = path.join(this.station.home, `ledger-${i}`)
      if (existsSync(file)) found.set(`ledger-${i}`, await readFile(file))
    }
    return found
  }
}

function equal(a: ReadonlyMap<string, Buffer>, b: ReadonlyMap<string, Buffer>): boolean {
  if (a.size !== b.size) return false
  for (const [name, content] of a) if (b.get(name)?.equals(content) !== true) return false
  return true
}
