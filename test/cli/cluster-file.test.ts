import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseCluster } from '../../src/cli/cluster-file.js'
import { ValidationError } from '../../src/errors.js'
import { FINGERPRINT, temporaryFolder } from '../support/services.js'

const SERVER = `{ alias: s, protocol: sftp, host: h, trust: { fingerprint: "${FINGERPRINT}" } }`

describe('parseCluster', () => {
  let folder: string
  let remove: () => Promise<void>

  before(async () => ({ folder, remove } = await temporaryFolder()))
  after(() => remove())

  const parse = (text: string) => parseCluster(text, { env: { NAME: ' from env ', EMPTY: '' }, folder })

  function problems(text: string): string[] {
    try {
      parse(text)
    } catch (error) {
      if (error instanceof ValidationError) return error.problems.map(({ field }) => field)
      throw error
    }
    return []
  }

  it('takes secrets as text, from a variable and from a file beside it', async () => {
    await writeFile(join(folder, 'secret'), ' from file \n')
    const cluster = parse(`permissions:
  - { user: a, server: s, password: " literal " }
  - { user: b, server: s, password: { env: NAME } }
  - { user: c, server: s, password: { file: secret } }`)
    expect(cluster.permissions.map(({ credentials }) => credentials.password)).to.deep.equal([
      ' literal ',
      ' from env ',
      ' from file ',
    ])
  })

  it('takes an empty file for an empty cluster', () => {
    expect(parse('')).to.deep.equal({ servers: [], users: [], permissions: [] })
  })

  const bad: [string, string, string[]][] = [
    ['an unknown key', 'server: []', ['server']],
    ['an unknown key of a server', `servers: [{ ${SERVER.slice(2, -2)}, hots: x }]`, ['servers[0].hots']],
    [
      'several things at once',
      `servers: [${SERVER}, { alias: "a/b", protocol: http, host: 127.1 }]`,
      ['servers[1].alias', 'servers[1].protocol', 'servers[1].host'],
    ],
    ['a password that YAML takes for a number', 'users: [{ username: a, password: 12345678 }]', ['users[0].password']],
    ['a variable that is not set', 'users: [{ username: a, password: { env: NONE } }]', ['users[0].password']],
    ['a variable that is empty', 'users: [{ username: a, password: { env: EMPTY } }]', ['users[0].password']],
    ['a file that is not there', 'users: [{ username: a, password: { file: none } }]', ['users[0].password']],
    ['a short password', 'users: [{ username: a, password: short }]', ['users[0].password']],
    [
      'a login password with a line break',
      'permissions: [{ user: a, server: s, password: "a\\nb" }]',
      ['permissions[0].password'],
    ],
    [
      'a passphrase without a key',
      'permissions: [{ user: a, server: s, passphrase: x }]',
      ['permissions[0].passphrase'],
    ],
    ['two servers of one name', `servers: [${SERVER}, ${SERVER.replace('s,', 'S,')}]`, ['servers[1].alias']],
    ['two users of one name', 'users: [{ username: a }, { username: a }]', ['users[1].username']],
    [
      'two permissions of one user',
      'permissions: [{ user: a, server: s }, { user: a, server: S }]',
      ['permissions[1].server'],
    ],
    ['a key twice', 'users: []\nusers: []', ['line 2']],
    ['what is no YAML', 'users: [', ['line 1']],
    ['a list', '- a', ['input']],
  ]
  for (const [title, text, fields] of bad) {
    it(`refuses ${title}, and says where`, () => expect(problems(text)).to.deep.equal(fields))
  }
})
