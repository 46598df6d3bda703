import { expect } from 'chai'
import { startBlackHole, type BlackHole } from '../support/black-hole.js'
import { PASSWORD } from '../support/drive.js'
import { eventually } from '../support/upload.js'
import { row } from './lab/figures.js'
import { FULL } from './lab/full.js'
import { ask, type Answer } from './lab/http-client.js'
import { Rig, type Station } from './lab/rig.js'

const USERS = FULL ? 20 : 8
const LOGINS = ['alice', 'bob', 'shared1', 'eve'] as const
const FRESH = { Depth: '1', 'Cache-Control': 'no-cache' }
/** Requests of each user. */
const EACH = FULL ? 50 : 20
/** Requests of one measurement. */
const SAMPLES = FULL ? 400 : 40
/** Far above the 20 % of p95 that a quiet machine shows: others may be busy on this one. */
const RATIO = 4

describe('one server among many', function () {
  this.timeout(240_000)
  let rig: Rig
  let hole: BlackHole

  before(async function () {
    hole = await startBlackHole()
    rig = await Rig.start(this, {
      daemons: ['vsftpd', 'sshd'],
      logins: LOGINS,
      users: USERS,
      others: [
        {
          alias: 'hole',
          endpoint: { protocol: 'ftp', host: '127.0.0.1', port: hole.port, trust: { kind: 'none' } },
        },
      ],
      // Who waits for the bad server waits for as long as the measurement takes.
      env: {
        FTPCLUSTER_DEADLINES_METADATA: '3s',
        FTPCLUSTER_DEADLINES_FIRST_BYTE: '3s',
        FTPCLUSTER_LIMITS_CONNECTIONS_PER_ADDRESS: '2000',
      },
    })
    for (const station of rig.stations) {
      await station.plant('owner', `of ${station.account.username}`)
      await station.plant('file.bin', Buffer.alloc(200_000, 'x'))
    }
  })

  afterEach(() => rig?.calm())
  after(async () => {
    await rig?.stop()
    await hole?.stop()
  })

  const asUser = (n: number, method: string, url: string, more: Partial<Parameters<typeof ask>[0]> = {}) =>
    ask({ method, url, auth: `user${n}:${PASSWORD}`, ...more })

  /** Times of listings and downloads of B, one after the other, in ms. */
  async function timesOf(b: Station): Promise<number[]> {
    const times: number[] = []
    for (let i = 0; i < SAMPLES; i++) {
      const answer =
        i % 2 === 0
          ? await asUser(0, 'PROPFIND', b.url(), { headers: FRESH })
          : await asUser(0, 'GET', b.url('file.bin'))
      expect(answer.status, 'the good server').to.be.oneOf([200, 207])
      expect(answer.whole).to.equal(true)
      times.push(answer.ms)
    }
    return times
  }

  const BAD: Readonly<Record<string, { readonly row: number; begin(a: Station): string }>> = {
    'black-holed': { row: 2, begin: () => rig.gateway.dav('hole') },
    stalled: {
      row: 3,
      begin(a) {
        a.proxy.freeze()
        return a.url()
      },
    },
    dripping: {
      row: 5,
      begin(a) {
        a.proxy.shape = { slice: 1, delay: 200 }
        return a.url('file.bin')
      },
    },
  }
  for (const [how, bad] of Object.entries(BAD)) {
    row(bad.row, `a server that is ${how} slows no other one, nor the list of servers`, async (notes) => {
      const [a, b] = [rig.station('vsftpd'), rig.station('sshd')]
      await timesOf(b)
      const alone = await timesOf(b)
      const url = bad.begin(a)
      let over = false
      let asked = 0
      const crowd = Array.from({ length: 20 }, async (_, i) => {
        while (!over) {
          // The one who has the black hole is the first user.
          const answer = await asUser(
            how === 'black-holed' ? 0 : LOGINS.length * (i % (USERS / LOGINS.length)),
            'GET',
            url,
            {
              onBytes: (_bytes, cut) => (over ? cut() : undefined),
            },
          )
          asked++
          if (answer.ms < 50) await new Promise((resolve) => setTimeout(resolve, 50))
        }
      })
      const during = await timesOf(b)
      const roots: Answer[] = []
      for (let i = 0; i < 20; i++) {
        roots.push(await asUser(0, 'PROPFIND', `${rig.gateway.url}/dav/`, { headers: FRESH }))
      }
      over = true
      rig.calm()
      for (const { proxy } of rig.stations) proxy.resetAll()
      await Promise.all(crowd)
      // What else this machine does changes with time: the measure is taken on both sides.
      alone.push(...(await timesOf(b)))
      for (const { status } of roots) expect(status, 'PROPFIND /dav/').to.equal(207)
      const root = roots.map(({ ms }) => ms)
      const [before, after] = [percentile(alone, 0.95), percentile(during, 0.95)]
      notes.say(
        `p95 of the other ${before.toFixed(1)} > ${after.toFixed(1)} ms (${percent(after / before - 1)}), ` +
          `PROPFIND /dav/ ${percentile(root, 0.95).toFixed(1)} ms, ${asked} requests to the bad one`,
      )
      expect(percentile(during, 0.5), 'median of the good server').to.be.below(RATIO * percentile(alone, 0.5) + 50)
      expect(percentile(root, 0.5), 'median of PROPFIND /dav/').to.be.below(500)
    })
  }

  row(39, 'users with many requests each at once, some given up, see their own files and no other', async (notes) => {
    let right = 0
    // What the faults before this were blamed for is over.
    for (const station of rig.stations) {
      const url = station.url('owner')
      const n = LOGINS.findIndex((login) => login === station.account.username)
      await eventually(`${url} is served`, 30, async () => (await asUser(n, 'GET', url)).status === 200)
    }
    const mine = (n: number) => rig.stations.filter(({ account }) => account.username === LOGINS[n % LOGINS.length])
    await Promise.all(
      Array.from({ length: USERS }, async (_, n) => {
        const stations = mine(n)
        const wanted = `of ${LOGINS[n % LOGINS.length]}`
        for (let i = 0; i < EACH; i++) {
          const station = stations[i % stations.length]
          if (station === undefined) throw new Error('a station')
          if (i % 10 === 3) {
            await asUser(n, 'GET', station.url('file.bin'), { onBytes: (_bytes, cut) => cut() })
            continue
          }
          const { status, body } = await asUser(n, 'GET', station.url('owner'))
          if (status === 200) expect(body.toString(), `user${n}`).to.equal(wanted)
          else expect(status, `user${n} at ${station.url('owner')}: ${body.toString()}`).to.equal(503)
          if (status === 200) right++
        }
      }),
    )
    expect(right).to.be.greaterThan(USERS * EACH * 0.6)
    notes.say(`${USERS} users, ${right} answers right, 0 of another login`)
    const [other] = rig.stations.filter(({ account }) => account.username === 'bob')
    expect((await asUser(0, 'GET', other?.url('owner') ?? '')).status, 'the folder of another login').to.equal(404)
  })
})

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
}

function percent(part: number): string {
  return `${part >= 0 ? '+' : ''}${Math.round(part * 100)} %`
}
