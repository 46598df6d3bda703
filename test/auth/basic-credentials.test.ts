import { expect } from 'chai'
import { parseBasic } from '../../src/auth/basic-credentials.js'

const encode = (text: string | Buffer) => Buffer.from(text).toString('base64')

describe('parseBasic', () => {
  const good: [string, string, string, string][] = [
    ['the first colon separates', encode('u:p:w'), 'u', 'p:w'],
    ['base64 with / and +', encode('u:??>>ÿ'), 'u', '??>>ÿ'],
    ['UTF-8', encode('u:pä€🙂'), 'u', 'pä€🙂'],
    ['what is no UTF-8 is CP-1252', encode(Buffer.from([0x75, 0x3a, 0x70, 0xe4, 0x80])), 'u', 'pä€'],
    ['the domain of Windows is dropped', encode('DOMAIN\\user:p\\w'), 'user', 'p\\w'],
    ['a user with a domain behind it stays', encode('user@example.com:p'), 'user@example.com', 'p'],
    ['blanks of the password count', encode('u: p '), 'u', ' p '],
  ]
  for (const [title, encoded, username, password] of good) {
    it(title, () => {
      expect(parseBasic(`Basic ${encoded}`)).to.deep.equal({ kind: 'credentials', username, password })
    })
  }

  it('takes the scheme in any case and more than one blank', () => {
    for (const header of [`basic ${encode('u:p')}`, `BASIC   ${encode('u:p')} `]) {
      expect(parseBasic(header)).to.deep.equal({ kind: 'credentials', username: 'u', password: 'p' })
    }
  })

  it('takes base64 that needs + and /', () => {
    expect(encode('u:??>>')).to.include('/')
    expect(encode('u:~~>>')).to.include('+')
    expect(parseBasic(`Basic ${encode('u:~~>>')}`)).to.include({ password: '~~>>' })
  })

  const malformed: [string, string][] = [
    ['the scheme alone', 'Basic'],
    ['the scheme and a blank', 'Basic '],
    ['no colon', `Basic ${encode('user')}`],
    ['an empty user', `Basic ${encode(':p')}`],
    ['an empty user behind a domain', `Basic ${encode('D\\:p')}`],
    ['an empty password', `Basic ${encode('u:')}`],
    ['a line break', `Basic ${encode('u:p\r\nx')}`],
    ['NUL', `Basic ${encode('u:p\0')}`],
    ['base64url', `Basic ${encode('u:~~>>').replaceAll('+', '-')}`],
    ['base64 cut off', `Basic ${encode('u:p').slice(0, -1)}`],
    ['base64 with something behind it', `Basic ${encode('u:p')}, x`],
    ['a header of 1 MB', `Basic ${'QUFB'.repeat(250_000)}`],
  ]
  for (const [title, header] of malformed) {
    it(`refuses ${title}`, () => expect(parseBasic(header)).to.deep.equal({ kind: 'malformed' }))
  }

  it('leaves other schemes to others', () => {
    for (const header of [undefined, '', 'Bearer', 'Bearer x', 'Basically x', 'Digest username="u"']) {
      expect(parseBasic(header)).to.deep.equal({ kind: 'missing' })
    }
  })
})
