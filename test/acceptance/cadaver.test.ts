import { expect } from 'chai'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ALL_DAEMONS, labFor, type Lab } from '../lab/lab.js'
import { runCadaver } from '../support/cadaver.js'
import { driveOver, PASSWORD, USER } from '../support/drive.js'
import { GatewayProcess } from '../support/gateway.js'

describe('cadaver', function () {
  this.timeout(120_000)
  let lab: Lab
  let gateway: GatewayProcess | undefined
  before(async function () {
    lab = await labFor(this, { daemons: ALL_DAEMONS })
    gateway = await GatewayProcess.start(driveOver(lab))
  })
  after(async () => {
    await gateway?.stop()
    await lab?.stop()
  })

  for (const kind of ALL_DAEMONS) {
    it(`stores, lists, copies, moves, locks and deletes on ${kind}`, async () => {
      const text = `Grüße von cadaver an ${kind}\n`
      const [source, fetched] = [path.join(lab.scratch, `${kind}.txt`), path.join(lab.scratch, `${kind}-fetched.txt`)]
      await writeFile(source, text)
      // Each command with what its answer must hold.
      const session: [command: string, answer: string][] = [
        ['ls', 'collection is empty'],
        [`put ${source} a.txt`, 'succeeded'],
        ['mkcol "sub folder"', 'succeeded'],
        ['copy a.txt "sub folder/copy of a.txt"', 'succeeded'],
        ['move a.txt b.txt', 'succeeded'],
        ['ls', 'b.txt'],
        ['lock b.txt', 'succeeded'],
        ['discover b.txt', 'Scope: exclusive'],
        [`put ${source} b.txt`, 'succeeded'],
        ['unlock b.txt', 'succeeded'],
        ['propset b.txt colour blue', 'succeeded'],
        ['propget b.txt colour', 'Value of colour is: blue'],
        [`get b.txt ${fetched}`, 'succeeded'],
        ['mkcol "sub folder"', 'failed:\n405'],
        ['get nothing.txt', '404'],
        ['cat "sub folder/copy of a.txt"', text.trim()],
        ['delete "sub folder/copy of a.txt"', 'succeeded'],
        ['rmcol "sub folder"', 'succeeded'],
      ]
      const target = { url: gateway?.dav(kind) ?? '', username: USER, password: PASSWORD }
      const answers = await runCadaver(
        target,
        session.map(([command]) => command),
      )
      for (const [i, [command, expected]] of session.entries()) expect(answers[i], command).to.include(expected)

      const home = lab.daemon(kind).account('alice').home
      expect(await readdir(home)).to.deep.equal(['b.txt'])
      expect(await readFile(path.join(home, 'b.txt'), 'utf8')).to.equal(text)
      expect(await readFile(fetched, 'utf8')).to.equal(text)
      const [answer] = await runCadaver(target, ['delete b.txt'])
      expect(answer).to.include('succeeded')
      expect(existsSync(path.join(home, 'b.txt'))).to.equal(false)
    })
  }
})
