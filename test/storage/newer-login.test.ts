import { expect } from 'chai'
import { Connections } from '../../src/storage/connections.js'
import type { Login } from '../../src/storage/driver.js'
import { StorageError } from '../../src/storage/errors.js'
import { account, ScriptedDriver } from './scripted-driver.js'

const anna = account('anna')

describe('a login whose secret was changed a moment ago', () => {
  const driver = new ScriptedDriver()
  let connections: Connections
  let asked: number
  let newest: () => Promise<Login | undefined>
  let tried: (string | undefined)[]
  let right: string

  beforeEach(() => {
    asked = 0
    tried = []
    right = 'secret 2'
    newest = () => Promise.resolve({ username: 'anna', password: 'secret 2' })
    connections = new Connections({
      driverFor: () => ({
        fingerprint: () => Promise.resolve(undefined),
        connect: (endpoint, login, options) => {
          tried.push(login.password)
          if (login.password === right) return driver.connect(endpoint, login, options)
          return Promise.reject(new StorageError('LOGIN_REJECTED', 'Login incorrect.'))
        },
      }),
      newerLogin: () => {
        asked++
        return newest()
      },
    })
  })
  afterEach(() => connections.close())

  const use = async () => {
    try {
      return (await connections.use(anna, 'metadata', (connection) => connection.stat('/'))).name
    } catch (error) {
      return (error as StorageError).code
    }
  }

  it('is tried with the new one, and nobody notices', async () => {
    expect(await use()).to.equal('anna')
    expect(tried).to.deep.equal(['secret 1', 'secret 2'])
    expect(await use()).to.equal('anna')
    expect(tried).to.have.length(2)
  })

  it('does not ask for another one while the server takes it', async () => {
    right = 'secret 1'
    expect(await use()).to.equal('anna')
    expect([tried, asked]).to.deep.equal([['secret 1'], 0])
  })

  it('is rejected when there is no other one, after one attempt', async () => {
    newest = () => Promise.resolve(undefined)
    expect([await use(), await use()]).to.deep.equal(['LOGIN_REJECTED', 'LOGIN_REJECTED'])
    expect([tried, asked]).to.deep.equal([['secret 1'], 1])
  })

  it('is rejected when the new one is too, after one attempt with each', async () => {
    right = 'secret 3'
    expect([await use(), await use()]).to.deep.equal(['LOGIN_REJECTED', 'LOGIN_REJECTED'])
    expect(tried).to.deep.equal(['secret 1', 'secret 2'])
  })

  it('does not ask when the server failed for another reason', async () => {
    right = 'secret 1'
    driver.answer = () => 'UNREACHABLE'
    expect(await use()).to.equal('UNREACHABLE')
    driver.answer = () => 'ok'
    expect(asked).to.equal(0)
  })
})
