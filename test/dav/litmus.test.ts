import { expect } from 'chai'
import { labObstacle } from '../lab/packages.js'
import { LITMUS_SUITES, runLitmus } from '../support/litmus.js'
import { DavGateway } from './dav-gateway.js'

describe('dav: litmus over a server in memory', () => {
  const gateway = new DavGateway()

  before(async function () {
    const obstacle = await labObstacle()
    if (obstacle !== undefined) {
      if (process.env['CI']) throw new Error(`litmus cannot run: ${obstacle}`)
      this.skip()
    }
    await gateway.start()
  })
  after(() => gateway.stop())

  it('passes every test of every suite, with no warning and none skipped', async () => {
    const report = await runLitmus({ url: `${gateway.url}/dav/server2/`, username: 'user1', password: 'user1' })
    const failed = report.tests.filter((test) => test.outcome !== 'pass')
    expect(failed, failed.map((test) => report.debugOf(test)).join('\n')).to.deep.equal([])
    expect(report.warnings).to.deep.equal([])
    expect(Object.keys(report.counts)).to.have.members([...LITMUS_SUITES])
    expect(Object.values(report.counts).reduce((sum, count) => sum + count, 0)).to.be.at.least(104)
  }).timeout(120_000)
})
