import { expect } from 'chai'
import { symlink } from 'node:fs/promises'
import { createDialer } from '../../src/storage/dialer.js'
import type { Connection, OpenFile } from '../../src/storage/driver.js'
import type { StorageErrorCode } from '../../src/storage/errors.js'
import { createFtpDriver } from '../../src/storage/ftp/ftp-driver.js'
import { labFor, localPath, type Lab } from '../lab/lab.js'
import { FtpTap } from '../support/ftp-tap.js'

const DAEMONS = ['proftpd', 'vsftpd', 'pure-ftpd'] as const
const DEADLINES = { connect: 15_000, metadata: 15_000, firstByte: 15_000, stall: 15_000 }
const driver = createFtpDriver({ deadlines: DEADLINES, dial: createDialer({ allow: ['127.0.0.0/8'] }) })

/** Each packet of commands is a round trip. */
describe('round trips to real FTP servers', function () {
  this.timeout(180_000)
  let lab: Lab
  before(async function () {
    lab = await labFor(this, { daemons: DAEMONS })
  })
  after(() => lab?.stop())

  for (const kind of DAEMONS) {
    describe(kind, () => {
      let tap: FtpTap
      let c: Connection
      let folder: string
      let login: readonly string[]

      before(async () => {
        const daemon = lab.daemon(kind)
        const { endpoint } = daemon
        const eve = daemon.account('eve')
        tap = new FtpTap(endpoint.port)
        c = await driver.connect({ ...endpoint, port: await tap.listen() }, eve)
        folder = eve.remoteHome === '/' ? '' : eve.remoteHome
        login = [...tap.packets]
        await c.write(`${folder}/a`, body())
      })
      after(() => {
        c?.close()
        tap?.close()
      })

      async function packets(work: () => Promise<unknown>): Promise<readonly string[]> {
        // What was sent for the next transfer has arrived then.
        await c.ping()
        tap.packets.length = 0
        await work()
        return [...tap.packets]
      }

      it('what a login sets up is one', () => {
        expect(login.slice(0, 3)).to.deep.equal(['USER', 'PASS', 'FEAT'])
        expect(login.slice(3)).to.have.length(1)
        expect(login[3]).to.match(/TYPE\+PWD$/)
      })

      it('a look is one', async () => {
        const look = await packets(() => c.stat(`${folder}/a`))
        expect(look).to.deep.equal([kind === 'vsftpd' ? 'SIZE+MDTM' : 'MLST'])
      })

      const MISSING = {
        proftpd: ['MLST', 'SIZE'],
        vsftpd: ['SIZE+MDTM', 'CWD+CWD', 'CWD+RNFR'],
        'pure-ftpd': ['MLST', 'CWD+CWD'],
      }[kind]

      it('a look at what is missing lists no folder, one after the other', async () => {
        for (const name of ['missing', 'missing [too]', 'Permission denied', 'not found']) {
          expect(await packets(() => fails(c.stat(`${folder}/${name}`), 'NOT_FOUND'))).to.deep.equal(MISSING)
        }
      })

      it('a folder is made in one', async () => {
        expect(await packets(() => c.makeDirectory(`${folder}/made`))).to.deep.equal(['MKD'])
        await c.removeDirectory(`${folder}/made`)
      })

      it('a look tells what is closed from what is missing, whatever it is called', async () => {
        const { forbidden } = lab.daemon(kind)
        for (const name of ['inside.txt', 'missing', 'No such file or directory', 'inside.txt/not found']) {
          await fails(c.stat(`${forbidden.folder}/${name}`), 'DENIED')
        }
        await fails(c.stat(`${forbidden.unlistable}/missing`), 'NOT_FOUND')
        expect((await c.stat(`${forbidden.unlistable}/inside.txt`)).size).to.equal(17)
        await fails(c.stat(`${folder}/a/below`), 'NOT_FOUND')
        await fails(c.stat(`${folder}/no/missing`), 'NOT_FOUND')
      })

      it('a look at a link that leads nowhere finds no file', async () => {
        await symlink('nowhere', localPath(lab.daemon(kind).account('eve'), `${folder}/dangling`))
        const found = await c.stat(`${folder}/dangling`).catch((error: unknown) => error)
        if (kind === 'pure-ftpd') expect(found).to.include({ type: 'other', symlink: true })
        else expect(found).to.have.property('code', 'NOT_FOUND')
      })

      it('a look leaves nothing that a rename could take for its source', async () => {
        const { forbidden } = lab.daemon(kind)
        const closed = await c.stat(forbidden.folder).catch((error: unknown) => error)
        if (kind === 'vsftpd') expect(closed).to.have.property('code', 'DENIED')
        else expect(closed).to.have.property('type', 'directory')
        const refused = await packets(() => fails(c.rename(`${folder}/missing`, `${folder}/taken`), 'NOT_FOUND'))
        expect(refused[0]).to.equal(kind === 'vsftpd' ? 'RNFR' : 'RNFR+RNTO')
        await fails(c.stat(`${folder}/taken`), 'NOT_FOUND')
        await c.rename(`${folder}/a`, `${folder}/c`)
        expect(await packets(() => c.rename(`${folder}/c`, `${folder}/a`))).to.deep.equal(['RNFR+RNTO'])
      })

      it('in a run of transfers each is one, whatever is asked between them; the port of the next is asked for at its end', async () => {
        /** The verbs, and what was sent for the next one: that comes before the NOOP, maybe in one packet with it. */
        const inRun = async (work: () => Promise<unknown>) => {
          const sent = await packets(() => work().then(() => c.ping()))
          return sent.flatMap((packet) => packet.split('+')).slice(0, -1)
        }
        const read = () => c.read(`${folder}/a`, undefined, () => undefined)
        // Until the server has shown that it has many ports.
        while ((await inRun(read)).at(-1) !== 'EPSV') continue
        expect(await inRun(read)).to.deep.equal(['RETR', 'EPSV'])
        expect(await inRun(() => c.write(`${folder}/written`, body()))).to.deep.equal(['STOR', 'EPSV'])
        await c.stat(`${folder}/written`)
        await c.rename(`${folder}/written`, `${folder}/renamed`)
        await c.makeDirectory(`${folder}/made`)
        await c.removeDirectory(`${folder}/made`)
        await c.removeFile(`${folder}/renamed`)
        expect(await inRun(read)).to.deep.equal(['RETR', 'EPSV'])
        expect(await inRun(() => c.read(`${folder}/a`, { start: 1 }, () => undefined))).to.deep.equal([
          'REST',
          'RETR',
          'EPSV',
        ])
        expect((await inRun(() => c.list(folder || '/'))).join(' ')).to.match(/^CWD (LIST|MLSD) EPSV/)
      })

      it('a file that is looked at and read is one, a part of it as well; one that is not read after all leaves the next in step', async () => {
        const look = kind === 'vsftpd' ? 'SIZE+MDTM' : 'MLST'
        const likely = { start: 1 }
        let text = ''
        const open = async () => (await c.openFile?.(`${folder}/a`, { likely })) as OpenFile
        const read = async () => {
          const opened = await open()
          expect(opened.entry.size).to.equal(4)
          text = ''
          await c.read(`${folder}/a`, likely, (chunk) => void (text += chunk.toString()), { opened })
        }
        const sent = await packets(read)
        expect(sent.filter((packet) => packet !== 'EPSV')).to.deep.equal([`${look}+REST+RETR`])
        expect(text).to.equal('our')
        const unread = await packets(async () => (await open()).close())
        expect(unread.filter((packet) => packet !== 'EPSV')[0]).to.equal(`${look}+REST+RETR`)
        expect((await c.stat(`${folder}/a`)).size).to.equal(4)
        await read()
        expect(text).to.equal('our')
      })

      it('a rename is one, and what becomes of it is known', async () => {
        expect(await packets(() => c.rename(`${folder}/a`, `${folder}/b`))).to.deep.equal(['RNFR+RNTO'])
        expect((await c.stat(`${folder}/b`)).size).to.equal(4)
        await fails(c.rename(`${folder}/a`, `${folder}/c`), 'NOT_FOUND')
        await c.removeFile(`${folder}/b`)
      })
    })
  }
})

async function fails(attempt: Promise<unknown>, code: StorageErrorCode): Promise<void> {
  const result = await attempt.catch((error: unknown) => error)
  expect(result).to.have.property('code', code)
}

// eslint-disable-next-line @typescript-eslint/require-await
async function* body(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('four')
}
