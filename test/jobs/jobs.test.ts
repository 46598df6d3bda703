import { expect } from 'chai'
import { messageOf } from '../../src/errors.js'
import { Jobs, type JobProgress } from '../../src/jobs/jobs.js'

/** Work that ends when it is told to. */
function held() {
  let release: (message: string) => void = () => undefined
  let progress: JobProgress | undefined
  const work = (given: JobProgress) => {
    progress = given
    return new Promise<string>((resolve, reject) => {
      release = resolve
      given.signal.addEventListener('abort', () => reject(new Error('stopped')))
    })
  }
  return { work, release: (message: string) => release(message), progress: () => progress }
}

describe('jobs', () => {
  it('report how far they are and how they ended', async () => {
    const jobs = new Jobs(messageOf)
    const one = held()
    jobs.start(1, 'Copying', one.work)
    one.progress()?.total(10)
    one.progress()?.add(4)
    one.progress()?.say('a.txt')
    expect(jobs.list(1)[0]).to.include({ state: 'running', bytes: 4, total: 10, message: 'a.txt' })
    one.release('All copied.')
    await jobs.settled()
    expect(jobs.list(1)[0]).to.include({ state: 'done', message: 'All copied.' })
  })

  it('run two at once for each user, and the next when one ends', async () => {
    const jobs = new Jobs(messageOf)
    const [a, b, c] = [held(), held(), held()] as const
    for (const { work } of [a, b, c]) jobs.start(1, 'x', work)
    jobs.start(2, 'y', held().work)
    expect(jobs.list(1).map(({ state }) => state)).to.deep.equal(['waiting', 'running', 'running'])
    expect(jobs.list(2).map(({ state }) => state)).to.deep.equal(['running'])
    a.release('done')
    await new Promise(setImmediate)
    expect(jobs.list(1).map(({ state }) => state)).to.deep.equal(['running', 'running', 'done'])
    await jobs.stop()
  })

  it('are bounded', async () => {
    const jobs = new Jobs(messageOf, { openPerUser: 3, endedPerUser: 2 })
    for (let number = 0; number < 3; number++) jobs.start(1, 'x', held().work)
    expect(jobs.start(1, 'x', held().work)).to.equal(undefined)
    await jobs.stop()
    expect(jobs.list(1)).to.have.length(2)
  })

  it('are cancelled by their user only', async () => {
    const jobs = new Jobs(messageOf)
    const { id } = jobs.start(1, 'x', held().work) ?? { id: '' }
    expect(jobs.cancel(2, id)).to.equal(false)
    expect(jobs.cancel(1, id)).to.equal(true)
    await jobs.settled()
    expect(jobs.list(1)[0]).to.include({ state: 'cancelled' })
    expect(jobs.cancel(1, id)).to.equal(false)
  })

  it('say what went wrong', async () => {
    const jobs = new Jobs(() => 'The server has no space left.')
    jobs.start(1, 'x', () => Promise.reject(new Error('552 at 10.0.0.1')))
    await jobs.settled()
    expect(jobs.list(1)[0]).to.include({ state: 'failed', message: 'The server has no space left.' })
  })
})
