import { expect } from 'chai'
import fc from 'fast-check'
import { parseUrlPath } from '../../../src/http/url-path.js'
import { HttpError } from '../../../src/http/errors.js'
import { createDialer } from '../../../src/storage/dialer.js'
import type { Deadlines } from '../../../src/storage/driver.js'
import { StorageError } from '../../../src/storage/errors.js'
import { createFtpDriver } from '../../../src/storage/ftp/ftp-driver.js'
import { isWithin, joinRemote } from '../../../src/storage/remote-path.js'
import { splitMount } from '../../../src/vfs/virtual-path.js'
import { FakeFtpServer } from '../../storage/fake-ftp-server.js'

const DEADLINES: Deadlines = { connect: 10_000, metadata: 10_000, firstByte: 10_000, stall: 10_000 }
const ROOT = '/home/of/alice'
/** Characters that have ended commands, climbed out of folders or changed their meaning somewhere. */
const NASTY = [
  ...['\r', '\n', '\0', '\r\n', '..', '.', '/', '\\', '//', '../', '..\\', '%2e%2e', '%2f', '%0d%0a', '%00', '%c0%af'],
  ...['\u010d\u010a', '\u2028', '\u0085', '\ufeff', '\ud800', '\uff0e\uff0e', '\uff0f', '\u00ff', '~', '-la', '*', ' '],
  ...['%E2%80%A8', '%C4%8D%C4%8A', '%25%30%64', 'é', 'DELE x', ';', '|', '"', "'", '$(id)', '`id`'],
]
const part = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ maxLength: 6 }),
)
const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''))

describe('whatever a client sends', function () {
  this.timeout(60_000)

  it('names something below the root of the mount, or is refused', () => {
    const raw = text.map((name) => `/server2/${name}`)
    fc.assert(
      fc.property(raw, (path) => {
        let remote: string
        try {
          remote = joinRemote(ROOT, ...(splitMount(parseUrlPath(path).path)?.rest ?? []))
        } catch (error) {
          expect(error instanceof HttpError || error instanceof StorageError, String(error)).to.equal(true)
          return
        }
        expect(isWithin(ROOT, remote)).to.equal(true)
        expect(remote.split('/')).to.not.include.members(['..'])
        expect(remote.slice(ROOT.length)).to.not.match(/\/(\.{0,2})(\/|$)/)
      }),
      { numRuns: 20_000 },
    )
  })

  for (const encoding of ['utf8', 'latin1'] as const) {
    it(`reaches a server as one command in ${encoding}, with that path, or not at all`, async () => {
      const fake = await FakeFtpServer.start({
        scripts: { SIZE: '550 no', MDTM: '550 no', DELE: '550 no', MKD: '550 no', RNFR: '550 no', CWD: '550 no' },
      })
      const driver = createFtpDriver({ deadlines: DEADLINES, dial: createDialer({ allow: ['127.0.0.0/8'] }) })
      const endpoint = {
        protocol: 'ftp',
        host: '127.0.0.1',
        port: fake.port,
        trust: { kind: 'none' },
        encoding,
      } as const
      const connection = await driver.connect(endpoint, { username: 'a', password: 'b' })
      try {
        await fc.assert(
          fc.asyncProperty(text, async (name) => {
            const before = fake.lines.length
            const path = `${ROOT}/${name}`
            for (const call of [
              () => connection.stat(path),
              () => connection.removeFile(path),
              () => connection.makeDirectory(path),
              () => connection.rename(path, path),
            ]) {
              await call().catch((error: unknown) => expect(error).to.be.instanceOf(StorageError))
            }
            for (const line of fake.lines.slice(before)) {
              const [verb = '', argument = ''] = [
                line.split(' ', 1)[0],
                line.slice((line.split(' ', 1)[0] ?? '').length + 1),
              ]
              expect(['SIZE', 'MDTM', 'DELE', 'MKD', 'RNFR', 'RNTO', 'CWD', 'EPSV', 'LIST'], line).to.include(verb)
              if (argument === '' || verb === 'LIST') continue
              const decoded = Buffer.from(argument, 'latin1').toString(encoding)
              expect(path === decoded || isWithin(decoded, path), `${verb} ${decoded}`).to.equal(true)
            }
            expect(connection.open).to.equal(true)
          }),
          { numRuns: 500 },
        )
      } finally {
        connection.close()
        await fake.close()
      }
    })
  }
})
