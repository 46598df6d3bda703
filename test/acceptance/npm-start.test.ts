import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { must } from '../lab/run.js'
import { temporaryFolder } from '../support/services.js'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

describe('npm', function () {
  // May build.
  this.timeout(300_000)
  before(function () {
    // Windows knows no SIGTERM.
    if (process.platform === 'win32') this.skip()
    return must(process.execPath, ['src/prepare.mjs'], { cwd: PROJECT, timeout: 300_000 })
  })

  for (const [script, ready] of [
    ['start', 'FTPCluster is ready'],
    ['demo', 'Ctrl-C'],
  ] as const) {
    it(`run ${script}: SIGTERM to npm stops the gateway cleanly, and npm ends after it`, async () => {
      const { folder, remove } = await temporaryFolder()
      const { PATH, HOME } = process.env
      const settings = { FTPCLUSTER_HOST: '127.0.0.1', FTPCLUSTER_PORT: '0', FTPCLUSTER_DATA_DIR: folder }
      const child = spawn('npm', ['run', '--silent', script], {
        cwd: PROJECT,
        env: { PATH, HOME, FTPCLUSTER_LOG_LEVEL: 'info', ...settings },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let said = ''
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          if (!said.includes(ready) && (said += text).includes(ready)) child.kill('SIGTERM')
          else if (said.includes(ready)) said += text
        })
      }
      // Not `exit`: a gateway that npm left behind would hold the pipes open.
      const [code] = (await once(child, 'close')) as [number | null]
      await remove()
      expect(code, said).to.equal(0)
      expect(said).to.include('"signal":"SIGTERM"')
    })
  }
})
