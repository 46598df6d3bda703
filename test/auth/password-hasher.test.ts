import { expect } from 'chai'
import { PasswordHasher } from '../../src/auth/password-hasher.js'

describe('PasswordHasher', () => {
  const hasher = new PasswordHasher(4)

  it('looks at every byte, also behind the 72nd and behind NUL', async () => {
    const { hash } = await hasher.hash('a'.repeat(72) + 'SECRET1')
    expect(await hasher.matches('a'.repeat(72) + 'SECRET1', hash)).to.equal(true)
    expect(await hasher.matches('a'.repeat(72) + 'SECRET2', hash)).to.equal(false)
    expect(await hasher.matches('a'.repeat(72), hash)).to.equal(false)
    const withNul = await hasher.hash('abc\0def')
    expect(await hasher.matches('abc\0xyz', withNul.hash)).to.equal(false)
  })

  it('takes a password in either normal form, and changes nothing else', async () => {
    const { hash } = await hasher.hash('pa\u0308sswort ')
    expect(await hasher.matches('p\u00e4sswort ', hash)).to.equal(true)
    for (const other of ['p\u00e4sswort', 'P\u00e4sswort ', 'passwort ']) {
      expect(await hasher.matches(other, hash), other).to.equal(false)
    }
  })

  it('uses the cost that it was given, 12 when none', async () => {
    expect((await hasher.hash('x')).hash).to.match(/^\$2b\$04\$/)
    expect(await hasher.dummy()).to.match(/^\$2b\$04\$/)
    expect((await new PasswordHasher().hash('x')).hash).to.match(/^\$2b\$12\$/)
  })
})
