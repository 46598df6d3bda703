import { expect } from 'chai'
import { HashQueue } from '../../src/auth/hash-queue.js'

describe('HashQueue', () => {
  it('runs so many at once, lets so many wait in order, and declines the rest', async () => {
    const queue = new HashQueue(2, 3)
    const started: number[] = []
    const finish: (() => void)[] = []
    const jobs = Array.from({ length: 7 }, (_, index) =>
      queue.run(() => {
        started.push(index)
        return new Promise<number>((resolve) => finish.push(() => resolve(index)))
      }),
    )
    expect(started).to.deep.equal([0, 1])
    expect(await Promise.all(jobs.slice(5))).to.deep.equal([undefined, undefined])
    for (let index = 0; index < 5; index++) {
      finish[index]?.()
      expect(await jobs[index]).to.deep.equal({ value: index })
      await Promise.resolve()
    }
    expect(started).to.deep.equal([0, 1, 2, 3, 4])
  })

  it('gives the place of a job that failed to the next one', async () => {
    const queue = new HashQueue(1, 1)
    const failing = queue.run(() => Promise.reject(new Error('no')))
    const next = queue.run(() => Promise.resolve('done'))
    expect((await Promise.allSettled([failing]))[0]?.status).to.equal('rejected')
    expect(await next).to.deep.equal({ value: 'done' })
    expect(await queue.run(() => Promise.resolve('again'))).to.deep.equal({ value: 'again' })
  })
})
