import { expect } from 'chai'
import { KeptWith } from '../../src/heap/kept-with.js'

describe('what is kept with an object', () => {
  it('is found with it alone, and until it is deleted', () => {
    const names = new KeptWith<object, string>('name')
    const [one, other] = [{}, {}]
    names.set(one, 'one')
    expect([names.get(one), names.has(one)]).to.deep.equal(['one', true])
    expect([names.get(other), names.has(other)]).to.deep.equal([undefined, false])
    names.delete(one)
    expect(names.has(one)).to.equal(false)
  })

  it('is apart from what others keep with it by the same name, and not among its own names', () => {
    const [mine, theirs] = [new KeptWith<object, number>('n'), new KeptWith<object, number>('n')]
    const holder = {}
    mine.set(holder, 1)
    expect(theirs.get(holder)).to.equal(undefined)
    expect(Object.keys(holder)).to.deep.equal([])
    expect(JSON.stringify(holder)).to.equal('{}')
  })
})
