import { expect } from 'chai'
import { Activity } from '../../src/activity/activity.js'
import { CLIENT, treeOperation } from '../support/tree-operation.js'
import { actor } from '../support/services.js'

const ANNA = { userId: 1, username: 'anna' }

describe('Activity', () => {
  let now: number
  let ended: unknown[]
  let activity: Activity

  beforeEach(() => {
    now = 1_700_000_000_000
    ended = []
    activity = new Activity({ now: () => now, onEnded: ({ path }, by) => void ended.push([path, by]) })
  })

  it('shows what lasts, as far as it has come, until it is over', () => {
    const operation = { ...treeOperation({ total: 100 }), bytes: 0 }
    activity.started(operation)
    operation.bytes = 40
    const [shown] = activity.running()
    expect(shown).to.deep.include({ user: 'anna', alias: 's2', path: '/s2/a.txt', kind: 'read', bytes: 40, total: 100 })
    expect(shown?.client).to.equal(CLIENT)
    activity.ended(operation)
    expect(activity.running()).to.deep.equal([])
  })

  it('does not show what is over in a moment', () => {
    activity.started(treeOperation({ kind: 'stat', end: undefined }))
    expect(activity.running()).to.deep.equal([])
  })

  it('ends exactly the one that is meant, and tells who did it', () => {
    const cut: string[] = []
    for (const path of ['/s2/a', '/s2/b']) activity.started(treeOperation({ path, end: () => void cut.push(path) }))
    const id = activity.running()[1]?.id ?? ''
    expect(activity.end(id, actor)).to.equal(true)
    expect(cut).to.deep.equal(['/s2/b'])
    expect(ended).to.deep.equal([['/s2/b', actor]])
    expect(activity.end('no such', actor)).to.equal(false)
  })

  it('knows who is there, by address and program, the last seen first', () => {
    activity.seen(ANNA, CLIENT)
    now += 1000
    activity.seen(ANNA, { ...CLIENT, userAgent: 'Explorer' })
    now += 1000
    activity.seen(ANNA, CLIENT)
    const clients = activity
      .clients()
      .map(({ userAgent, requests, firstSeenAt, lastSeenAt }) => [
        userAgent,
        requests,
        lastSeenAt.getTime() - firstSeenAt.getTime(),
      ])
    expect(clients).to.deep.equal([
      ['rclone/1', 2, 2000],
      ['Explorer', 1, 0],
    ])
  })

  it('forgets who was not seen for a day', () => {
    activity.seen(ANNA, CLIENT)
    now += 23 * 3_600_000
    activity.seen(ANNA, CLIENT)
    now += 23 * 3_600_000
    expect(activity.clients()).to.have.length(1)
    now += 3_600_001
    expect(activity.clients()).to.deep.equal([])
  })

  it('keeps a thousand at most, whatever clients call themselves', () => {
    for (let index = 0; index < 1500; index++) {
      activity.seen(ANNA, { ...CLIENT, userAgent: `${index} ${'x'.repeat(5000)}` })
    }
    const clients = activity.clients()
    expect(clients).to.have.length(1000)
    expect(clients[0]?.userAgent).to.have.length(256)
  })
})
