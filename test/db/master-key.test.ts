import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { openDatabase, type Database } from '../../src/db/database.js'
import { openSecrets } from '../../src/db/master-key.js'
import { rejectionOf, temporaryFolder } from '../support/services.js'

const KEY = Buffer.alloc(32, 1)
const place = { table: 't', row: 1, field: 'f' }

describe('openSecrets', () => {
  let folder: string
  let remove: () => Promise<void>
  let database: Database
  let masterKeyFile: string
  let told: string[]
  const notify = (message: string) => void told.push(message)

  beforeEach(async () => {
    ;({ folder, remove } = await temporaryFolder())
    database = await openDatabase({ dataDir: folder })
    masterKeyFile = join(folder, 'master.key')
    told = []
  })
  afterEach(async () => {
    await database.close()
    await remove()
  })

  it('makes a private key file for a new database, says so, and uses it from then on', async () => {
    const first = await openSecrets(database, { masterKeyFile }, notify)
    expect((await stat(masterKeyFile)).mode & 0o777).to.equal(0o600)
    expect(told).to.have.length(1)
    expect(told[0])
      .to.include(masterKeyFile)
      .and.not.include((await readFile(masterKeyFile, 'utf8')).trim())
    const second = await openSecrets(database, { masterKeyFile }, notify)
    expect(second.decrypt(first.encrypt('x', place), place)).to.equal('x')
    expect(told).to.have.length(1)
  })

  it('refuses to start without the key, and makes no other', async () => {
    await openSecrets(database, { masterKeyFile }, notify)
    await rm(masterKeyFile)
    expect((await rejectionOf(openSecrets(database, { masterKeyFile }, notify))).message).to.include('is missing')
    expect(await readdir(folder)).to.not.include('master.key')
  })

  it('refuses a wrong key', async () => {
    await openSecrets(database, { masterKey: KEY.toString('hex'), masterKeyFile }, notify)
    const wrong = { masterKey: Buffer.alloc(32, 2).toString('base64'), masterKeyFile }
    expect((await rejectionOf(openSecrets(database, wrong, notify))).message).to.include('is not the one')
  })

  it('takes the key as base64 or hex, and older keys after it', async () => {
    await openSecrets(database, { masterKey: KEY.toString('hex'), masterKeyFile }, notify)
    await openSecrets(database, { masterKey: KEY.toString('base64'), masterKeyFile }, notify)
    const masterKey = `${Buffer.alloc(32, 9).toString('base64')} ${KEY.toString('hex')}`
    await openSecrets(database, { masterKey, masterKeyFile }, notify)
    expect(told).to.deep.equal([])
  })

  it('refuses a key file that others can read', async () => {
    await writeFile(masterKeyFile, KEY.toString('base64'))
    await chmod(masterKeyFile, 0o640)
    const error = await rejectionOf(openSecrets(database, { masterKeyFile }, notify))
    expect(error.message).to.include('chmod 600')
  })

  for (const masterKey of ['short', KEY.subarray(1).toString('base64'), 'zz'.repeat(32), '#']) {
    it(`refuses ${JSON.stringify(masterKey.slice(0, 12))} as a key, without repeating it`, async () => {
      const error = await rejectionOf(openSecrets(database, { masterKey, masterKeyFile }, notify))
      expect(error.message).to.include('32 bytes')
      if (masterKey !== '#') expect(error.message).to.not.include(masterKey)
    })
  }

  it('gives two that start together the same key', async () => {
    const results = await Promise.allSettled([
      openSecrets(database, { masterKeyFile }, notify),
      openSecrets(database, { masterKeyFile }, notify),
    ])
    const ciphers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    expect(ciphers).to.not.be.empty
    expect(new Set(ciphers.map(({ activeKeyId }) => activeKeyId)).size).to.equal(1)
    expect(told).to.have.length(1)
  })
})
