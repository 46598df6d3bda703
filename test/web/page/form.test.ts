import { expect } from 'chai'
import { ConflictError, ValidationError } from '../../../src/errors.js'
import { formOf, listOf, refusedForm, submit, textsOf } from '../../../src/web/page/form.js'

describe('a form', () => {
  it('gives the texts that were sent once, and lists where they are asked for', () => {
    const body = { name: 'a', twice: ['x', 'y'], deep: { a: 1 } }
    expect(textsOf(body)).to.deep.equal({ name: 'a' })
    expect(listOf(body, 'twice')).to.deep.equal(['x', 'y'])
    expect(listOf(body, 'name')).to.deep.equal(['a'])
    expect(listOf(body, 'none')).to.deep.equal([])
    expect(textsOf(undefined)).to.deep.equal({})
  })

  it('shows what is stored', () => {
    expect(formOf({ alias: 's', port: 22, host: undefined }).values).to.deep.equal({ alias: 's', port: '22', host: '' })
  })

  it('shows each problem at its field, and never a secret again', async () => {
    const error = new ValidationError([
      { field: 'host', message: 'is required' },
      { field: 'host', message: 'must be a name' },
    ])
    const body = { host: 'x', password: 'geheim', privateKey: 'k', code: '1', tokenName: 't' }
    const result = await submit(body, () => Promise.reject(error))
    expect(result).to.deep.equal({
      done: false,
      form: { values: { host: 'x' }, problems: { host: 'is required' } },
    })
  })

  it('shows a conflict above the form', () => {
    expect(refusedForm({}, new ConflictError('taken'))?.message).to.equal('taken')
  })

  it('explains nothing that is not the fault of who sent it', async () => {
    const fault = new Error('disk')
    expect(await submit({}, () => Promise.reject(fault)).catch((error: unknown) => error)).to.equal(fault)
    expect(await submit({}, () => Promise.resolve(7))).to.deep.equal({ done: true, value: 7 })
  })
})
