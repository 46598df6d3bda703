import { expect } from 'chai'
import type { HealthSample } from '../../../../src/health/health.js'
import { expectAdminsOnly } from '../../../support/admins-only.js'
import { startOverseenApp, type OverseenApp } from '../overseen-app.js'

describe('health of the servers', () => {
  let app: OverseenApp
  let samples: HealthSample[]

  beforeEach(async () => {
    samples = []
    const state = { state: 'down', reason: 'UNREACHABLE', since: new Date() } as const
    app = await startOverseenApp(() => ({ health: { of: () => state, history: () => Promise.resolve(samples) } }))
  })
  afterEach(() => app.close())

  it('draws the last 24 hours, equal neighbours as one bar, and says the same in words', async () => {
    const step = 5 * 60_000
    const at = (ago: number) => new Date(Math.floor(Date.now() / step) * step - ago * step)
    samples = [
      { at: at(4), state: 'down' },
      { at: at(3), state: 'up' },
      { at: at(2), state: 'up' },
      { at: at(1), state: 'up' },
    ]
    const { text } = await app.browser.get('/servers/health')
    expect(text.match(/class="health-up"/g)).to.have.length(1)
    expect(text).to.match(/class="health-up" x="28[34]" y="0" width="3"/)
    expect(text).to.include('answered in 75.0 % of the last 24 hours').and.include('UNREACHABLE')
  })

  it('is for admins only', async () => {
    await expectAdminsOnly(app.url, 'anna', { pages: ['/servers/health'] })
  })
})
