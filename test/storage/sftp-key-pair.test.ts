import { expect } from 'chai'
import { mock } from 'node:test'
import ssh2 from 'ssh2'
import { newKeyPair, publicKeyOf } from '../../src/storage/sftp/key-pair.js'

describe('a new key pair', () => {
  it('has halves that belong together', () => {
    const { privateKey, publicKey } = newKeyPair()
    expect(publicKey).to.match(/ ftpcluster$/)
    expect(publicKeyOf(privateKey)).to.equal(publicKey.replace(/ ftpcluster$/, ''))
  })

  it('is made anew when ssh2 made one that cannot be read', () => {
    const broken = { private: 'no key', public: 'no key' }
    const make = mock.method(ssh2.utils, 'generateKeyPairSync')
    try {
      make.mock.mockImplementationOnce(() => broken)
      expect(publicKeyOf(newKeyPair().privateKey)).to.match(/^ssh-ed25519 /)
      expect(make.mock.callCount(), 'the next one may be as bad').to.be.at.least(2)
    } finally {
      make.mock.restore()
    }
  })
})
