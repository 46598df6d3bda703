import { expect } from 'chai'
import { Metrics, type MetricsSources } from '../../src/metrics/metrics.js'
import type { PoolStats } from '../../src/storage/connections.js'
import { StorageError } from '../../src/storage/errors.js'
import { treeOperation } from '../support/tree-operation.js'

const POOLS: PoolStats = {
  servers: [
    {
      serverId: 1,
      alias: 's2',
      state: { state: 'down', since: 0, reason: 'r', retryAt: 0 },
      open: 3,
      lent: 2,
      connecting: 1,
      waiting: 4,
      limit: 8,
    },
  ],
  accounts: [],
}

describe('Metrics', () => {
  let metrics: Metrics
  let pools: PoolStats

  beforeEach(() => {
    pools = POOLS
    const sources: MetricsSources = {
      pools: () => pools,
      cache: () => ({ hits: 7, misses: 3, folders: 2 }),
      audit: () => ({ queued: 5, spilled: 1, lost: 0 }),
      running: () => 6,
      health: () => [['s2', { state: 'slow' }]],
      sync: () => Promise.resolve([{ alias: 's2', queued: 8, findings: { different: 3, adopt: 1 } }]),
    }
    metrics = new Metrics(sources)
  })

  /** The lines of our own metrics that `pattern` fits, without the prefix. */
  async function lines(pattern: RegExp): Promise<string[]> {
    const text = await metrics.text()
    return text
      .split('\n')
      .filter((line) => line.startsWith('ftpcluster_') && pattern.test(line))
      .map((line) => line.slice('ftpcluster_'.length))
  }

  it('count requests by class of method and status', async () => {
    for (const [method, status] of [
      ['GET', 200],
      ['HEAD', 200],
      ['PROPFIND', 207],
      ['PUT', 499],
      ['BREW', 405],
    ] as const) {
      metrics.onRequest({ method, status, seconds: 0.02 })
    }
    expect(await lines(/^ftpcluster_http_requests_total/)).to.deep.equal([
      'http_requests_total{class="read",status="200"} 2',
      'http_requests_total{class="list",status="207"} 1',
      'http_requests_total{class="write",status="499"} 1',
      'http_requests_total{class="other",status="405"} 1',
    ])
    expect(await lines(/duration_seconds_bucket\{le="0.025",class="read"/)).to.deep.equal([
      'http_request_duration_seconds_bucket{le="0.025",class="read"} 2',
    ])
  })

  it('count operations and their bytes, up and down', async () => {
    metrics.ended(treeOperation({ bytes: 100 }), { outcome: 'ok', duration: 1 })
    metrics.ended(treeOperation({ kind: 'write', bytes: 30 }), { outcome: 'failed', code: 'X', duration: 1 })
    expect(await lines(/operations_total|transferred/)).to.deep.equal([
      'operations_total{kind="read",outcome="ok"} 1',
      'operations_total{kind="write",outcome="failed"} 1',
      'transferred_bytes_total{direction="down",server="s2"} 100',
      'transferred_bytes_total{direction="up",server="s2"} 30',
    ])
  })

  it('tell of pools, breakers, connects and waits', async () => {
    const about = { serverId: 1, alias: 's2', accountKey: 'secret-key' }
    metrics.onConnection({ ...about, kind: 'connected', took: 40 })
    const error = new StorageError('UNREACHABLE', 'x')
    const state = { state: 'unknown' } as const
    metrics.onConnection({ ...about, kind: 'connect-failed', took: 1, error, blames: 'server', state })
    metrics.onConnection({ ...about, kind: 'lent', waited: 2000 })
    expect(await lines(/pool|breaker|connects_total|_(?:sum|count) /)).to.deep.equal([
      'connects_total{server="s2",result="ok"} 1',
      'connects_total{server="s2",result="server"} 1',
      'connect_duration_seconds_sum 0.04',
      'connect_duration_seconds_count 1',
      'connection_wait_seconds_sum 2',
      'connection_wait_seconds_count 1',
      'pool_connections{server="s2",state="lent"} 2',
      'pool_connections{server="s2",state="idle"} 1',
      'pool_connections{server="s2",state="connecting"} 1',
      'pool_waiting{server="s2"} 4',
      'pool_limit{server="s2"} 8',
      'breaker_open{server="s2"} 1',
    ])
  })

  it('tell of the cache, the audit, what runs, and the health of servers', async () => {
    expect(await lines(/cache|audit|running|server_state/)).to.deep.equal([
      'operations_running 6',
      'server_state{server="s2",state="slow"} 1',
      'audit_queued 5',
      'cache_folders 2',
      'cache_hits_total 7',
      'cache_misses_total 3',
      'audit_spilled_total 1',
      'audit_lost_total 0',
    ])
  })

  it('tell of accounts in step: what was done, what waits, what was found', async () => {
    metrics.onStep({ kind: 'create', outcome: 'done' })
    metrics.onStep({ kind: 'create', outcome: 'done' })
    metrics.onStep({ kind: 'make-home', outcome: 'failed' })
    expect(await lines(/sync/)).to.deep.equal([
      'sync_steps_total{kind="create",outcome="done"} 2',
      'sync_steps_total{kind="make-home",outcome="failed"} 1',
      'sync_queued{server="s2"} 8',
      'sync_findings{server="s2",kind="different"} 3',
      'sync_findings{server="s2",kind="adopt"} 1',
    ])
  })

  it('tell of the process and the event loop', async () => {
    const text = await metrics.text()
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ]) {
      expect(text).to.include(`\n${name} `)
    }
  })

  it('forget a server that is gone', async () => {
    await metrics.text()
    pools = { servers: [], accounts: [] }
    expect(await lines(/pool_/)).to.deep.equal([])
  })

  it('name no user, no path and no account', async () => {
    metrics.ended(treeOperation({ bytes: 1 }), { outcome: 'ok', duration: 1 })
    metrics.onConnection({ serverId: 1, alias: 's2', accountKey: 'secret-key', kind: 'connected', took: 1 })
    expect(await metrics.text()).to.not.match(/anna|a\.txt|secret-key|remote/)
  })
})
