import { expect } from 'chai'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { anyOf, OwnSignal } from '../../src/heap/signals.js'

const REASON = new Error('the client has gone')

describe('a signal of our own', () => {
  it('tells whoever listens once, with its first reason', () => {
    const signal = new OwnSignal()
    const heard: unknown[] = []
    signal.addEventListener('abort', () => heard.push(signal.reason))
    signal.onabort = () => heard.push('onabort')
    expect(() => signal.throwIfAborted()).not.to.throw()
    signal.abort(REASON)
    signal.abort(new Error('another'))
    expect(heard).to.deep.equal(['onabort', REASON])
    expect(signal.aborted).to.equal(true)
    expect(() => signal.throwIfAborted()).to.throw(REASON.message)
  })

  it('tells nobody who has stopped to listen', () => {
    const signal = new OwnSignal()
    let heard = 0
    const listener = () => heard++
    signal.addEventListener('abort', listener)
    signal.removeEventListener('abort', listener)
    signal.abort(REASON)
    expect(heard).to.equal(0)
  })

  const waits: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
    'a timer': (signal) => delay(60_000, undefined, { signal }),
    'an event': (signal) => once(new PassThrough(), 'drain', { signal }),
    'a pipeline': (signal) => pipeline(new Readable({ read: () => undefined }), new PassThrough(), { signal }),
    'another signal of any': (signal) =>
      delay(60_000, undefined, { signal: anyOf(new AbortController().signal, signal) }),
  }
  for (const [name, wait] of Object.entries(waits)) {
    it(`ends the wait for ${name}, before and while it is waited for`, async () => {
      const [late, early] = [new OwnSignal(), new OwnSignal()]
      early.abort(REASON)
      const waiting = [wait(late), wait(early)].map((promise) => promise.catch((error: unknown) => error))
      late.abort(REASON)
      for (const error of await Promise.all(waiting)) expect(error).to.have.property('name', 'AbortError')
    })
  }

  it('gives its reason to a signal of any', () => {
    const own = new OwnSignal()
    const any = anyOf(own, new AbortController().signal)
    own.abort(REASON)
    expect(any.reason).to.equal(REASON)
    expect(anyOf(own).reason).to.equal(REASON)
  })
})
