import { expect } from 'chai'
import { newSecret, readSecret } from '../../src/auth/secret-text.js'

describe('the text of an app password or API token', () => {
  for (const kind of ['app-password', 'api-token'] as const) {
    it(`says that it is an ${kind}, and which one`, () => {
      const { secret, ...known } = newSecret(kind)
      expect(readSecret(secret)).to.deep.equal(known)
      expect(known.hash).to.match(/^[0-9a-f]{64}$/)
    })
  }

  it('has 140 random bits, in signs that no URL, shell or keyboard changes', () => {
    const secrets = Array.from({ length: 200 }, () => newSecret('app-password').secret)
    expect(new Set(secrets.map((secret) => secret.slice(15))).size).to.equal(200)
    for (const secret of secrets) expect(secret).to.match(/^ftpca_[0-9a-hj-km-np-tv-z]{8}_[0-9a-hj-km-np-tv-z]{28}$/)
    // Of 32 signs each stands about 175 times at the 5600 places: none is left out.
    const signs = new Set(secrets.flatMap((secret) => [...secret.slice(15)]))
    expect(signs.size).to.equal(32)
  })

  it('is nothing that a person would choose', () => {
    const { secret } = newSecret('app-password')
    for (const text of [
      '',
      'password-1',
      'ftpca_',
      secret + ' ',
      ' ' + secret,
      secret.toUpperCase(),
      secret.slice(1),
    ]) {
      expect(readSecret(text), JSON.stringify(text)).to.equal(undefined)
    }
  })
})
