import { expect } from 'chai'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/config/config.js'
import { variableOf } from '../../src/config/layers.js'
import { addressMatcher } from '../../src/config/options.js'
import { ValidationError, type Problem } from '../../src/errors.js'

function problemsOf(env: NodeJS.ProcessEnv): readonly Problem[] {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ValidationError) return error.problems
    throw error
  }
  throw new Error('The configuration was accepted.')
}

function messagesOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(problemsOf(env).map(({ field, message }) => [field, message]))
}

describe('loadConfig', () => {
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'ftpcluster-config-'))))
  after(() => rmSync(folder, { recursive: true }))

  const write = (content: string, name = 'own.yaml') => {
    const file = join(folder, name)
    writeFileSync(file, content)
    return file
  }

  it('accepts its own defaults and gives durations in ms, sizes in bytes, paths absolute', () => {
    const config = loadConfig({})
    expect(config.port).to.equal(8080)
    expect(config.deadlines).to.deep.equal({
      connect: 10_000,
      metadata: 15_000,
      firstByte: 15_000,
      stall: 30_000,
      wait: 5000,
      clientIdle: 60_000,
      sendStall: 60_000,
    })
    expect(config.limits.xmlBody).to.equal(65_536)
    expect(config.dataDir).to.equal(join(process.cwd(), 'data'))
    expect(config.tls).to.deep.equal({ mode: 'off' })
    expect(config.publicUrl).to.equal(undefined)
  })

  it('overrides defaults by the own file and both by variables', () => {
    const FTPCLUSTER_CONFIG = write('port: 9000\nhost: 127.0.0.1\ndeadlines:\n  connect: 3s\npool:\n')
    const config = loadConfig({ FTPCLUSTER_CONFIG, FTPCLUSTER_PORT: '9001', FTPCLUSTER_DEADLINES_FIRST_BYTE: '1.5s' })
    expect(config).to.include({ port: 9001, host: '127.0.0.1' })
    expect(config.deadlines).to.include({ connect: 3000, firstByte: 1500, metadata: 15_000 })
    expect(config.pool.perAccount).to.equal(16)
  })

  it('is frozen through and through', () => {
    const config = loadConfig({})
    expect(config).to.be.frozen
    expect(config.deadlines).to.be.frozen
    expect(config.trustProxy).to.be.frozen
  })

  it('tells all problems at once, each under the name that whoever set it knows', () => {
    const FTPCLUSTER_CONFIG = write(
      'prot: 1\ndeadlines:\n  stall: 30\n  conect: 1s\nhost:\n  a: 1\npool: 5\ntls: files\n',
    )
    const messages = messagesOf({
      FTPCLUSTER_CONFIG,
      FTPCLUSTER_PORT: '70000',
      FTPCLUSTER_HOTS: 'x',
      FTPCLUSTER_TRUST_PROXY: '10.0.0.0/8,10.0.0.0/33',
      FTPCLUSTER_PUBLIC_URL: 'https://x.example/dav',
    })
    const own = (name: string) => messages[`${FTPCLUSTER_CONFIG}: ${name}`]
    expect(own('prot')).to.equal('is not a known option; did you mean port?')
    expect(own('deadlines.conect')).to.contain('did you mean deadlines.connect?')
    expect(own('deadlines.stall')).to.contain('e.g. 10s')
    expect(own('host')).to.equal('takes one value, not a group of options')
    expect(own('pool')).to.contain('is a group').and.contain('perAccount')
    expect(messages['FTPCLUSTER_HOTS']).to.contain('did you mean FTPCLUSTER_HOST?')
    expect(messages['FTPCLUSTER_PORT']).to.contain('from 0 to 65535')
    expect(messages['FTPCLUSTER_TRUST_PROXY']).to.contain('10.0.0.0/8')
    expect(messages['FTPCLUSTER_PUBLIC_URL']).to.contain('without a path')
    expect(messages['tlsCert']).to.contain('PEM file')
    expect(messages['tlsKey']).to.contain('PEM file')
    expect(Object.keys(messages)).to.have.length(11)
  })

  const refused: [env: Record<string, string>, field: string][] = [
    [{ FTPCLUSTER_PORT: '-1' }, 'FTPCLUSTER_PORT'],
    [{ FTPCLUSTER_PORT: '80 80' }, 'FTPCLUSTER_PORT'],
    [{ FTPCLUSTER_PORT: '1e3' }, 'FTPCLUSTER_PORT'],
    [{ FTPCLUSTER_LOG_LEVEL: 'loud' }, 'FTPCLUSTER_LOG_LEVEL'],
    [{ FTPCLUSTER_DEADLINES_CONNECT: '0s' }, 'FTPCLUSTER_DEADLINES_CONNECT'],
    [{ FTPCLUSTER_DEADLINES_CONNECT: '10 days' }, 'FTPCLUSTER_DEADLINES_CONNECT'],
    [{ FTPCLUSTER_LIMITS_XML_BODY: '64KB' }, 'FTPCLUSTER_LIMITS_XML_BODY'],
    [{ FTPCLUSTER_PUBLIC_URL: 'ftp://x' }, 'FTPCLUSTER_PUBLIC_URL'],
    [{ FTPCLUSTER_PUBLIC_URL: 'https://user:pw@x' }, 'FTPCLUSTER_PUBLIC_URL'],
    [{ FTPCLUSTER_ALLOW_NETWORKS: 'localhost' }, 'FTPCLUSTER_ALLOW_NETWORKS'],
    [{ FTPCLUSTER_TLS_CERT: '/x.pem' }, 'FTPCLUSTER_TLS_CERT'],
    [{ FTPCLUSTER_BREAKER_PAUSE: '2m' }, 'breaker.maxPause'],
    [{ FTPCLUSTER_POOL_PER_SERVER: '2' }, 'pool.perAccount'],
    [{ FTPCLUSTER_MASTER_KEY: 'a', FTPCLUSTER_MASTER_KEY_FILE: '/b' }, 'FTPCLUSTER_MASTER_KEY_FILE'],
    [{ FTPCLUSTER_ADMIN_PASSWORD_FILE: '/no/such/file' }, 'FTPCLUSTER_ADMIN_PASSWORD_FILE'],
    [{ FTPCLUSTER_CONFIG: '/no/such/file.yaml' }, '/no/such/file.yaml'],
  ]
  for (const [env, field] of refused) {
    it(`refuses ${JSON.stringify(env)} and names ${field}`, () => {
      expect(problemsOf(env).map((problem) => problem.field)).to.include(field)
    })
  }

  it('says where a file is not YAML', () => {
    const FTPCLUSTER_CONFIG = write('port: 1\nport: 2\n', 'twice.yaml')
    expect(messagesOf({ FTPCLUSTER_CONFIG })[FTPCLUSTER_CONFIG]).to.contain('line 2')
  })

  it('never repeats a secret in a problem', () => {
    const FTPCLUSTER_CONFIG = write('masterKey: 123456789\nadminPassword: [hunter2]\n', 'secret.yaml')
    const problems = problemsOf({ FTPCLUSTER_CONFIG, FTPCLUSTER_DATABASE_URL_FILE: 'x' })
    expect(JSON.stringify(problems)).not.to.match(/123456789|hunter2/)
    expect(problems.length).to.equal(2)
  })

  it('reads secrets from files and drops the last line end only', () => {
    const FTPCLUSTER_ADMIN_PASSWORD_FILE = write(' pass word \n', 'password')
    expect(loadConfig({ FTPCLUSTER_ADMIN_PASSWORD_FILE }).adminPassword).to.equal(' pass word ')
  })

  it('takes an empty variable for one that is not set, and lets the names that Kubernetes sets pass', () => {
    const config = loadConfig({
      FTPCLUSTER_PUBLIC_URL: '',
      FTPCLUSTER_SERVICE_HOST: '10.0.0.1',
      FTPCLUSTER_PORT_8080_TCP_ADDR: '10.0.0.1',
      UNRELATED: 'x',
    })
    expect(config.publicUrl).to.equal(undefined)
  })

  it('takes lists from variables and normalises the public URL', () => {
    const config = loadConfig({
      FTPCLUSTER_ALLOW_NETWORKS: '127.0.0.0/8, ::1/128',
      FTPCLUSTER_PUBLIC_URL: 'https://Drive.example.com/',
    })
    expect(config.allowNetworks).to.deep.equal(['127.0.0.0/8', '::1/128'])
    expect(config.publicUrl).to.equal('https://drive.example.com')
  })

  it('says in default.yaml what a variable is called', () => {
    const text = readFileSync('config/default.yaml', 'utf8')
    for (const path of ['port', 'dataDir', 'deadlines.firstByte']) {
      expect(text).to.match(new RegExp(`${path} +${variableOf(path)}\\n`))
    }
  })
})

describe('addressMatcher', () => {
  const matches = addressMatcher(['10.0.0.0/8', '192.168.1.7', 'fd00::/8'])
  for (const [address, expected] of [
    ['10.1.2.3', true],
    ['::ffff:10.1.2.3', true],
    ['11.1.2.3', false],
    ['192.168.1.7', true],
    ['192.168.1.8', false],
    ['fd12::1', true],
    ['fe80::1', false],
    ['not an address', false],
  ] as const) {
    it(`${address}: ${expected}`, () => expect(matches(address)).to.equal(expected))
  }
})
