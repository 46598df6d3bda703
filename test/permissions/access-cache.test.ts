import { expect } from 'chai'
import { AccessCache, type AccessChange } from '../../src/permissions/access-cache.js'
import type { LoadedAccess } from '../../src/permissions/user-access.js'
import { rejectionOf } from '../support/services.js'

/** A database in memory whose answers wait until they are let go. */
function slowSource() {
  const versions = new Map<number, number>()
  const waiting: (() => void)[] = []
  const source = {
    versions,
    calls: [] as (readonly number[])[],
    held: false,
    failing: false,
    holdsUntil: Infinity,
    release: () => {
      for (const resolve of waiting.splice(0)) resolve()
    },
    load: async (userIds: readonly number[]) => {
      source.calls.push(userIds)
      if (source.failing) throw new Error('the database is away')
      const found = userIds.flatMap((userId): [number, LoadedAccess][] => {
        const authVersion = versions.get(userId)
        if (authVersion === undefined) return []
        const access = { userId, username: `u${userId}`, admin: false, authVersion, mounts: [] }
        return [[userId, { access, holdsUntil: source.holdsUntil }]]
      })
      if (source.held) await new Promise<void>((resolve) => waiting.push(resolve))
      return new Map(found)
    },
  }
  return source
}

describe('AccessCache', () => {
  let source: ReturnType<typeof slowSource>
  let cache: AccessCache
  let changes: AccessChange[]
  let now: number
  let onError: (error: unknown) => void

  beforeEach(() => {
    source = slowSource()
    source.versions.set(1, 1).set(2, 1)
    now = 1000
    onError = () => undefined
    cache = new AccessCache({ load: source.load, now: () => now, onError: (error) => onError(error) })
    changes = []
    cache.onChange((change) => changes.push(change))
  })
  afterEach(() => cache.stop())

  it('asks once for a user, however many ask at once, and not again', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => cache.get(1)))
    expect(new Set(answers).size).to.equal(1)
    await cache.get(1)
    expect(source.calls).to.deep.equal([[1]])
    expect(cache.peek(1)).to.equal(answers[0])
  })

  it('does not remember who is not there', async () => {
    expect(await cache.get(9)).to.equal(undefined)
    source.versions.set(9, 1)
    expect((await cache.get(9))?.userId).to.equal(9)
  })

  it('gives out nothing old once a refresh has begun', async () => {
    await cache.get(1)
    source.versions.set(1, 2)
    const refreshed = cache.refresh()
    expect(cache.peek(1)).to.equal(undefined)
    expect((await cache.get(1))?.authVersion).to.equal(2)
    await refreshed
  })

  it('tells once what changed for whom, and nothing of the others', async () => {
    const before = await cache.get(1)
    const other = await cache.get(2)
    source.versions.set(1, 2)
    await cache.refresh()
    expect(changes.map(({ userId, after }) => [userId, after?.authVersion])).to.deep.equal([[1, 2]])
    expect(changes[0]?.before).to.equal(before)
    expect(cache.peek(2), 'the same value as before').to.equal(other)
    source.versions.delete(2)
    await cache.refresh()
    expect(changes.slice(1).map(({ userId, after }) => [userId, after])).to.deep.equal([[2, undefined]])
  })

  it('does not keep what was read before a refresh', async () => {
    source.held = true
    const slow = cache.get(1)
    source.versions.set(1, 2)
    const refreshed = cache.refresh()
    source.held = false
    source.release()
    expect((await slow)?.authVersion).to.equal(2)
    await refreshed
    expect(cache.peek(1)?.authVersion).to.equal(2)
  })

  it('loses no change when refreshes overtake each other', async () => {
    await cache.get(1)
    source.held = true
    source.versions.set(1, 2)
    const first = cache.refresh()
    await Promise.resolve()
    source.versions.set(1, 3)
    const second = cache.refresh()
    source.held = false
    while (changes.length === 0) {
      source.release()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all([first, second])
    expect(changes.at(-1)?.after?.authVersion).to.equal(3)
    expect(cache.peek(1)?.authVersion).to.equal(3)
  })

  it('is not fooled by a database error: nothing old is given out, and the change is still told', async () => {
    await cache.get(1)
    source.versions.set(1, 2)
    source.failing = true
    const heard: unknown[] = []
    onError = (error) => heard.push(error)
    await cache.refresh()
    expect(heard.map(String)).to.deep.equal(['Error: the database is away'])
    await rejectionOf(cache.get(1))
    source.failing = false
    expect((await cache.get(1))?.authVersion).to.equal(2)
    expect(changes.map(({ after }) => after?.authVersion)).to.deep.equal([2])
  })

  it('tells of a database error at the end of a permission', async () => {
    source.holdsUntil = now + 5
    const heard = new Promise<unknown>((resolve) => (onError = resolve))
    await cache.get(1)
    source.failing = true
    now += 10
    expect(await heard)
      .to.be.an('error')
      .with.property('message', 'the database is away')
  })

  it('ends a permission in time without anybody asking', async () => {
    source.holdsUntil = now + 5
    const told = new Promise<AccessChange>((resolve) => cache.onChange(resolve))
    await cache.get(1)
    source.holdsUntil = Infinity
    source.versions.set(1, 2)
    now += 10
    expect(cache.peek(1)).to.equal(undefined)
    expect((await told).after?.authVersion).to.equal(2)
  })
})
