import { expect } from 'chai'
import { SyncState } from '../../src/sync/sync-state.js'
import { ProvisionError } from '../../src/sync/provision-error.js'
import { actor } from '../support/services.js'
import { openSync, type SyncFixture } from './sync-fixture.js'

describe('the backlog of accounts', () => {
  let fixture: SyncFixture
  let state: SyncState

  beforeEach(async () => {
    fixture = await openSync()
    const { provisioners, accounts } = fixture
    state = new SyncState({ ...fixture.services, provisioners, accounts })
  })
  afterEach(() => fixture.close())

  it('counts, by server, steps that wait and accounts that are not in step, each once', async () => {
    const user = await fixture.user('anna')
    const beta = await fixture.server('beta')
    const alpha = await fixture.server('alpha')
    await fixture.grant(user.id, alpha.id)
    alpha.memory.add('stranger')
    await fixture.grant(user.id, beta.id)
    beta.memory.add('anna')
    const run = await fixture.sync.plan(undefined, actor)
    alpha.memory.fault = () => new ProvisionError('UNREACHABLE', 'It does not answer.')
    await fixture.sync.apply(run.id, actor)
    await fixture.sync.idle()
    expect(await state.backlog()).to.deep.equal([
      { alias: 'alpha', queued: 2, findings: { different: 1, adopt: 0, refused: 0, unknown: 1 } },
      { alias: 'beta', queued: 0, findings: { different: 0, adopt: 1, refused: 0, unknown: 0 } },
    ])
    expect(fixture.steps).to.deep.equal([])
    alpha.memory.fault = undefined
    await fixture.sync.stop()
    fixture.sync = fixture.newSynchroniser()
    await fixture.services.database.models.Provisioner.update({ nextAttemptAt: null }, { where: {} })
    await fixture.sync.idle()
    expect(fixture.steps).to.deep.equal(['create done', 'make-home done'])
    expect((await state.backlog())[0]).to.deep.include({ queued: 0 })
  })
})
