import { expect } from 'chai'
import { newTotpSecret, totpStep, totpUri } from '../../src/auth/totp.js'

/** RFC 6238 appendix B, SHA-1: of the 8 digits there, the last 6. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const VECTORS: [seconds: number, code: string][] = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
]

describe('totpStep', () => {
  for (const [seconds, code] of VECTORS) {
    it(`knows ${code} at second ${seconds} and in the step after, and not before or later`, () => {
      const step = Math.floor(seconds / 30)
      const at = (offset: number) => totpStep(SECRET, code, (step + offset) * 30_000)
      expect([at(-1), at(0), at(1), at(2)]).to.deep.equal([undefined, step, step, undefined])
    })
  }

  for (const code of ['', '28708', '2870820', '28708a', '２８７０８２', ' 287082', '-87082', '28708\n', '1e5000']) {
    it(`takes ${JSON.stringify(code)} for no code`, () => {
      expect(totpStep(SECRET, code, 59_000)).to.equal(undefined)
    })
  }
})

describe('a new TOTP secret', () => {
  it('has 160 random bits', () => {
    const secrets = Array.from({ length: 100 }, newTotpSecret)
    expect(new Set(secrets).size).to.equal(100)
    for (const secret of secrets) expect(secret).to.match(/^[A-Z2-7]{32}$/)
  })

  it('is read by authenticator apps as a URI', () => {
    const uri = new URL(totpUri(SECRET, 'anna@example.org'))
    expect([uri.protocol, uri.host]).to.deep.equal(['otpauth:', 'totp'])
    expect(decodeURIComponent(uri.pathname)).to.equal('/FTPCluster:anna@example.org')
    expect(Object.fromEntries(uri.searchParams)).to.deep.equal({
      issuer: 'FTPCluster',
      secret: SECRET,
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    })
  })
})
