import { expect } from 'chai'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ALL_DAEMONS, labFor, type Lab } from '../lab/lab.js'
import { run } from '../lab/run.js'
import { driveOver, PASSWORD, USER } from '../support/drive.js'
import { GatewayProcess } from '../support/gateway.js'

const SIZE = 3_000_000

describe('curl', function () {
  this.timeout(120_000)
  let lab: Lab
  let gateway: GatewayProcess
  const content = Buffer.from(Uint32Array.from({ length: SIZE / 4 }, (_, i) => Math.imul(i, 2_654_435_761)).buffer)
  let source: string

  before(async function () {
    lab = await labFor(this, { daemons: ALL_DAEMONS })
    gateway = await GatewayProcess.start(driveOver(lab))
    source = path.join(lab.scratch, 'source')
    await writeFile(source, content)
  })
  after(async () => {
    await gateway?.stop()
    await lab?.stop()
  })

  interface Answer {
    readonly status: number
    /** Status lines and headers of every answer, what was sent marked with `>`. */
    readonly trace: string
  }

  async function curl(url: string, args: readonly string[], input?: Buffer): Promise<Answer> {
    const common = ['--silent', '--verbose', '--max-time', '60', '--output', path.join(lab.scratch, 'answer')]
    const options = ['--write-out', '%{http_code}', ...args]
    const login = args.includes('--user') ? [] : ['--user', `${USER}:${PASSWORD}`]
    const result = await run('curl', [...common, ...login, ...options, url], input === undefined ? {} : { input })
    return { status: Number(result.stdout), trace: result.stderr }
  }
  const answered = () => readFile(path.join(lab.scratch, 'answer'))

  for (const kind of ALL_DAEMONS) {
    describe(`on ${kind}`, () => {
      const stored = (name: string) => readFile(path.join(lab.daemon(kind).account('alice').home, name))

      it('stores after it was told to continue', async () => {
        const { status, trace } = await curl(gateway.dav(kind, 'expected.bin'), [
          ...['--upload-file', source, '--header', 'Expect: 100-continue', '--expect100-timeout', '30'],
        ])
        expect(status, trace).to.equal(201)
        expect(trace).to.include('HTTP/1.1 100 Continue')
        expect((await stored('expected.bin')).equals(content)).to.equal(true)
      })

      it('stores what it reads from a pipe, in chunks, over an existing file', async () => {
        const url = gateway.dav(kind, 'piped.bin')
        expect((await curl(url, ['--upload-file', '-'], Buffer.from('short'))).status).to.equal(201)
        const { status, trace } = await curl(url, ['--upload-file', '-'], content)
        expect(status, trace).to.equal(204)
        expect(trace.toLowerCase()).to.include('> transfer-encoding: chunked')
        expect((await stored('piped.bin')).equals(content)).to.equal(true)
      })

      it('fetches ranges', async () => {
        const url = gateway.dav(kind, 'ranged.bin')
        await curl(url, ['--upload-file', source])
        for (const [range, start, end] of [
          ['0-0', 0, 1],
          ['1000000-1999999', 1_000_000, 2_000_000],
          ['2999000-', 2_999_000, SIZE],
          ['-1000', SIZE - 1000, SIZE],
        ] as const) {
          const { status, trace } = await curl(url, ['--range', range])
          expect(status, trace).to.equal(206)
          expect(trace.toLowerCase()).to.include(`content-range: bytes ${start}-${end - 1}/${SIZE}`)
          expect((await answered()).equals(content.subarray(start, end)), range).to.equal(true)
        }
        expect((await curl(url, ['--range', '4000000-'])).status).to.equal(416)
        expect((await curl(url, [])).status).to.equal(200)
        expect((await answered()).equals(content)).to.equal(true)
      })

      it('fetches the same file over the /ftp route', async () => {
        await curl(gateway.dav(kind, 'both ways.bin'), ['--upload-file', source])
        const { status, trace } = await curl(`${gateway.url}/ftp/${USER}/${kind}/both%20ways.bin`, ['--range', '7-9'])
        expect(status, trace).to.equal(206)
        expect((await answered()).equals(content.subarray(7, 10))).to.equal(true)
      })

      it('is refused with a wrong password, before it may send, and nothing is stored', async () => {
        const { status, trace } = await curl(gateway.dav(kind, 'refused.bin'), [
          ...['--user', `${USER}:wrong`, '--upload-file', source, '--header', 'Expect: 100-continue'],
          ...['--expect100-timeout', '30'],
        ])
        expect(status, trace).to.equal(401)
        expect(trace).to.not.include('100 Continue')
        expect(await readdir(lab.daemon(kind).account('alice').home)).to.not.include('refused.bin')
      })
    })
  }
})
