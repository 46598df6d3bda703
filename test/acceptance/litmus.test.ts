import { expect } from 'chai'
import { ALL_DAEMONS, labFor, type Lab } from '../lab/lab.js'
import { GatewayProcess } from '../support/gateway.js'
import { LITMUS_SUITES, runLitmus } from '../support/litmus.js'
import { driveOver, PASSWORD, USER } from '../support/drive.js'

describe('litmus', function () {
  this.timeout(300_000)
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
    it(`passes every test without a warning on ${kind}`, async () => {
      const url = gateway?.dav(kind, '') ?? ''
      const report = await runLitmus({ url, username: USER, password: PASSWORD })
      const bad = report.tests.filter(({ outcome }) => outcome !== 'pass')
      const trace = bad[0] === undefined ? '' : report.debugOf(bad[0])
      expect(bad, `${report.output}\n${trace}`).to.deep.equal([])
      expect(report.warnings, report.output).to.deep.equal([])
      expect(Object.keys(report.counts), report.output).to.deep.equal([...LITMUS_SUITES])
      const counted = Object.values(report.counts).reduce((sum, count) => sum + count, 0)
      expect(report.tests.length, 'nothing was skipped').to.equal(counted)
      expect(counted).to.be.at.least(104)
    })
  }
})
