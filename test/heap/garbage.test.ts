import { expect } from 'chai'
import { mkdir, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import path from 'node:path'
import { startEmbeddedSftpServer, type EmbeddedSftpServer } from '../../src/demo/embedded-sftp-server.js'
import { GatewayProcess } from '../support/gateway.js'
import { temporaryFolder } from '../support/services.js'

const COLLECTOR = path.join(import.meta.dirname, '../support/young-collections.mjs')
const AUTHORIZATION = `Basic ${Buffer.from('anna:password-1').toString('base64')}`
const REQUESTS = 400
const AT_ONCE = 16

/**
 * Objects that two collections of young ones have found in use are old: they stay until the whole heap is collected. What
 * is left here is what the gateway wants to know of a file, and of each connection.
 */
describe('what a request leaves to the collection of the whole heap', function () {
  this.timeout(120_000)
  let remove: () => Promise<void>
  let sftp: EmbeddedSftpServer
  let gateway: GatewayProcess
  let asked = 0
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })

  before(async () => {
    const temporary = await temporaryFolder()
    remove = temporary.remove
    const root = path.join(temporary.folder, 'files')
    await mkdir(root)
    for (let n = 0; n < REQUESTS; n++) await writeFile(path.join(root, `${n}.txt`), `content ${n}`)
    const login = { username: 'remote', password: 'remote' }
    sftp = await startEmbeddedSftpServer({ users: [{ ...login, root }] })
    const trust = { kind: 'pinned' as const, fingerprints: [sftp.fingerprint] }
    const endpoint = { protocol: 'sftp' as const, host: '127.0.0.1', port: sftp.port, trust }
    gateway = await GatewayProcess.start(
      {
        servers: [{ alias: 'server', endpoint }],
        users: [{ username: 'anna', password: 'password-1' }],
        permissions: [{ user: 'anna', server: 'server', login }],
      },
      // Files in memory are wanted there; a heap that is collected as a whole would say nothing.
      { env: { FTPCLUSTER_CACHE_FILES: '0' }, nodeOptions: ['--import', COLLECTOR, '--min-semi-space-size=16'] },
    )
    await ask('PROPFIND', '/dav/server/', { Depth: '1' })
  })

  after(async () => {
    agent.destroy()
    await gateway?.stop()
    await sftp?.close()
    await remove?.()
  })

  function ask(method: string, path: string, headers: Record<string, string> = {}, body = ''): Promise<void> {
    return new Promise((resolve, reject) => {
      const { port } = gateway
      const outgoing = request({ port, agent, method, path, headers: { ...headers, Authorization: AUTHORIZATION } })
      outgoing.on('error', reject).on('response', (response) => {
        response.on('error', reject).resume()
        response.on('end', () => {
          if ((response.statusCode ?? 0) < 300) resolve()
          else reject(new Error(`${method} ${path} answered ${response.statusCode}`))
        })
      })
      outgoing.end(body)
    })
  }

  async function askAll(one: (n: number) => Promise<void>): Promise<void> {
    let next = 0
    const some = async () => {
      while (next < REQUESTS) await one(next++)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, some))
  }

  /** Bytes of old objects, and collections of the whole heap so far. */
  async function old(signal: 'SIGWINCH' | 'SIGUSR2'): Promise<{ readonly bytes: number; readonly whole: number }> {
    process.kill(gateway.pid, signal)
    const line = await gateway.logged(new RegExp(`old ${++asked}: .*`))
    return JSON.parse(line.slice(line.indexOf('{'))) as { readonly bytes: number; readonly whole: number }
  }

  /**
   * Bytes for each request, in the cheapest of six rounds after two in which the code is compiled. A round in which the
   * whole heap was collected tells nothing, and is made again.
   * @param one the n-th request of a round
   */
  async function leftBehind(one: (n: number, round: number) => Promise<void>): Promise<number> {
    const each: number[] = []
    for (let round = 0; each.length < 8; round++) {
      const before = await old('SIGWINCH')
      await askAll((n) => one(n, round))
      const after = await old('SIGUSR2')
      if (after.whole === before.whole) each.push((after.bytes - before.bytes) / REQUESTS)
    }
    return Math.min(...each.slice(2))
  }

  it('is next to nothing of OPTIONS', async () => {
    expect(await leftBehind((n) => ask('OPTIONS', `/dav/server/${n}.txt`))).to.be.below(700)
  })

  it('is next to nothing of HEAD', async () => {
    expect(await leftBehind((n) => ask('HEAD', `/dav/server/${n}.txt`))).to.be.below(1500)
  })

  it('is what was learned of the file by GET', async () => {
    expect(await leftBehind((n) => ask('GET', `/dav/server/${n}.txt`))).to.be.below(3000)
  })

  it('is what is known of the new file by PUT', async () => {
    expect(await leftBehind((n, round) => ask('PUT', `/dav/server/new-${round}-${n}`, {}, 'content'))).to.be.below(4000)
  })

  it('is what is known of the names by MOVE', async () => {
    // There and back.
    const moved = (n: number, round: number) => {
      const [from, to] = round % 2 === 0 ? [`${n}.txt`, `moved-${n}`] : [`moved-${n}`, `${n}.txt`]
      return ask('MOVE', `/dav/server/${from}`, { Destination: `/dav/server/${to}` })
    }
    expect(await leftBehind(moved)).to.be.below(2500)
  })
})
