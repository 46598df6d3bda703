import { expect } from 'chai'
import { endable } from '../../src/vfs/endable.js'
import { VfsError } from '../../src/vfs/errors.js'

describe('endable', () => {
  const revoked = new VfsError('REVOKED', 'test')
  const thrown = async (work: Promise<unknown>): Promise<unknown> => {
    try {
      return await work
    } catch (error) {
      return error
    }
  }

  it('ends with the caller', async () => {
    const caller = new AbortController()
    const left = new Error('left')
    const work = endable({ signal: caller.signal }, async ({ signal }) => {
      caller.abort(left)
      return Promise.resolve<unknown>(signal.reason)
    })
    expect(await work).to.equal(left)
  })

  it('throws why it was ended, whatever the work made of it, and the caller goes on', async () => {
    const caller = new AbortController()
    const work = endable({ signal: caller.signal }, ({ end }) => {
      end(revoked)
      return Promise.reject(new Error('aborted'))
    })
    expect(await thrown(work)).to.equal(revoked)
    expect(caller.signal.aborted).to.equal(false)
  })

  it('makes no second signal for a call that can be ended already', async () => {
    const own = new AbortController()
    const call = { signal: own.signal, end: (reason: Error) => own.abort(reason) }
    const work = endable(call, ({ signal, end }) => {
      expect(signal).to.equal(own.signal)
      end(revoked)
      return Promise.reject(new Error('aborted'))
    })
    expect(await thrown(work)).to.equal(revoked)
  })
})
