import { expect } from 'chai'
import { SecretCipher, SecretError } from '../../src/db/secret-cipher.js'

const place = { table: 'servers', row: 1, field: 'admin_pass' }
const key = (byte: number) => Buffer.alloc(32, byte)

describe('SecretCipher', () => {
  const cipher = new SecretCipher([key(1)])

  it('gives back what was encrypted, and never writes it the same way twice', () => {
    for (const secret of ['', 'geheim', 'ü€🙂', 'x'.repeat(5000)]) {
      const stored = cipher.encrypt(secret, place)
      expect(stored).to.match(/^v1\.[\w-]{8}\.[\w-]{16}\.[\w-]{22}\.[\w-]*$/)
      expect(cipher.decrypt(stored, place)).to.equal(secret)
      expect(cipher.encrypt(secret, place)).to.not.equal(stored)
    }
  })

  it('derives the same key for one purpose again, and another one for another purpose or master key', () => {
    const derived = cipher.deriveKey('cookies')
    expect(derived).to.have.length(32)
    expect(new SecretCipher([key(1)]).deriveKey('cookies')).to.deep.equal(derived)
    expect(cipher.deriveKey('tokens')).to.not.deep.equal(derived)
    expect(new SecretCipher([key(2)]).deriveKey('cookies')).to.not.deep.equal(derived)
  })

  it('binds a secret to its table, row and field', () => {
    const stored = cipher.encrypt('geheim', place)
    const others = [
      { ...place, table: 'permissions' },
      { ...place, row: 2 },
      { ...place, field: 'user_pass' },
    ]
    for (const other of others) expect(() => cipher.decrypt(stored, other)).to.throw(SecretError)
  })

  it('refuses a ciphertext with any one bit flipped', () => {
    const parts = cipher.encrypt('geheim', place).split('.')
    for (const part of [2, 3, 4]) {
      const bytes = Buffer.from(parts[part] ?? '', 'base64url')
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Buffer.from(bytes)
        flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
        const stored = parts.with(part, flipped.toString('base64url')).join('.')
        expect(() => cipher.decrypt(stored, place), `part ${part}, bit ${bit}`).to.throw(SecretError)
      }
    }
  })

  it('refuses a shortened tag', () => {
    const parts = cipher.encrypt('geheim', place).split('.')
    const tag = Buffer.from(parts[3] ?? '', 'base64url')
      .subarray(0, 4)
      .toString('base64url')
    expect(() => cipher.decrypt(parts.with(3, tag).join('.'), place)).to.throw(SecretError)
  })

  it('says the same of everything that it cannot read, and nothing of what it holds', () => {
    const stored = cipher.encrypt('geheim', place)
    const wrongs = [
      '',
      'plain',
      'v2' + stored.slice(2),
      stored + '.x',
      new SecretCipher([key(2)]).encrypt('geheim', place),
    ]
    const messages = wrongs.map((wrong) => {
      try {
        return cipher.decrypt(wrong, place)
      } catch (error) {
        return (error as Error).message
      }
    })
    expect(new Set(messages)).to.deep.equal(new Set(['The secret servers.admin_pass of row 1 cannot be read.']))
  })

  it('encrypts with the first key and reads what the older ones wrote', () => {
    const old = new SecretCipher([key(2)])
    const both = new SecretCipher([key(1), key(2)])
    expect(both.decrypt(old.encrypt('geheim', place), place)).to.equal('geheim')
    expect(cipher.decrypt(both.encrypt('geheim', place), place)).to.equal('geheim')
  })

  it('takes keys of 32 bytes only', () => {
    for (const keys of [[], [Buffer.alloc(31)], [key(1), Buffer.alloc(16)]]) {
      expect(() => new SecretCipher(keys)).to.throw(RangeError)
    }
  })
})
