import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { chown, lstat, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import type { Connection, Login } from '../../src/storage/driver.js'
import { joinRemote } from '../../src/storage/remote-path.js'
import { isStorageError } from '../../src/storage/errors.js'
import { newKeyPair } from '../../src/storage/sftp/key-pair.js'
import type { ProvisionError } from '../../src/sync/provision-error.js'
import type { AccountSecret, ObservedAccount, Provisioner } from '../../src/sync/provisioner.js'

export interface ProvisionerSetup {
  open(): Promise<Provisioner>
  /** A login on the server itself, by a driver and nothing of the provisioner. */
  connect(login: Login): Promise<Connection>
  /** Where this process sees what the server calls `path`; undefined where it cannot look. */
  local?(path: string): string
  /** An account that somebody else made: it can log in with `password`. */
  readonly foreign: { readonly name: string; readonly password: string }
  /** Names that nobody may touch, with an account there or not. */
  readonly reserved: readonly string[]
  stop(): Promise<void>
}

const MARK = 'gateway-1'
const password = (): string => `Pw1-${randomBytes(12).toString('hex')}`

interface KeyPair {
  readonly secret: AccountSecret
  readonly privateKey: string
}

function keyPair(): KeyPair {
  const { publicKey, privateKey } = newKeyPair()
  return { secret: { kind: 'key', publicKey }, privateKey }
}

/**
 * What every provisioner keeps on every server, unchanged, each step proved by a login on the server itself. Tests skip by
 * what the provisioner has no method for, never by its kind.
 */
export function describeProvisioner(title: string, start: (this: Mocha.Context) => Promise<ProvisionerSetup>): void {
  describe(`${title}: provisioner conformance`, function () {
    this.timeout(60_000)
    let setup: ProvisionerSetup
    let provisioner: Provisioner

    before(async function () {
      setup = await start.call(this)
      provisioner = await setup.open()
    })
    after(async () => {
      await provisioner?.close()
      await setup?.stop()
    })

    const local = (remote: string): string => setup.local?.(remote) ?? ''
    const observed = async (name: string): Promise<ObservedAccount | undefined> =>
      (await provisioner.read({})).find((account) => account.name === name)

    async function logsIn(login: Login): Promise<boolean> {
      try {
        const connection = await setup.connect(login)
        connection.close()
        return true
      } catch (error) {
        if (isStorageError(error, 'LOGIN_REJECTED')) return false
        throw error
      }
    }
    async function fails(work: Promise<unknown> | undefined): Promise<string> {
      try {
        await work
      } catch (error) {
        return (error as ProvisionError).code
      }
      return 'nothing'
    }
    /** An account with its home, as the core makes it. */
    async function made(name: string): Promise<{ name: string; home: string; password: string }> {
      const home = provisioner.defaultHome(name)
      const secret = password()
      await provisioner.create?.({ name, home, secret: { kind: 'password', password: secret }, mark: MARK }, {})
      await provisioner.makeHome(name, home, {})
      return { name, home, password: secret }
    }
    /** Stores and reads back one file, as the account itself. */
    async function works(login: Login): Promise<void> {
      const connection = await setup.connect(login)
      try {
        const file = joinRemote(connection.home, 'works.txt')
        await connection.write(file, Readable.from([Buffer.from(login.username)]))
        const read: Buffer[] = []
        await connection.read(file, undefined, (chunk) => void read.push(Buffer.from(chunk)))
        expect(Buffer.concat(read).toString()).to.equal(login.username)
      } finally {
        connection.close()
      }
    }
    function needs(...methods: (keyof Provisioner)[]): void {
      before(function () {
        if (methods.some((method) => provisioner[method] === undefined)) this.skip()
      })
    }

    it('makes a home, and the same home twice', async () => {
      const name = 'homely'
      const home = provisioner.defaultHome(name)
      if (provisioner.create) await made(name)
      else await provisioner.makeHome(name, home, {})
      const first = await observed(name)
      await provisioner.makeHome(name, home, {})
      expect(first).to.include({ name, state: 'enabled', home })
      expect(first?.homeReady).to.not.equal(false)
      expect(await observed(name)).to.deep.equal(first)
    })

    it('makes no home outside of where homes are', async () => {
      const inside = provisioner.defaultHome('homely')
      const outside = [path.posix.dirname(inside), '/', '/etc', `${inside}/../../etc`, `${inside}/deeper`, 'homely']
      for (const home of outside)
        expect(await fails(provisioner.makeHome('homely', home, {})), home).to.equal('REFUSED')
    })

    it('refuses names that belong to the system, whatever is asked', async () => {
      const shapeless = ['-rf', 'a b', '../x', 'a:b', 'a\nb', '']
      for (const name of [...shapeless, 'root', 'daemon']) expect(provisioner.nameProblem(name), name).to.be.a('string')
      for (const name of [...shapeless, ...setup.reserved]) {
        const home = provisioner.defaultHome('homely')
        expect(await fails(provisioner.makeHome(name, home, {})), name).to.equal('REFUSED')
        const secret = { kind: 'password', password: password() } as const
        const steps = [
          provisioner.create?.({ name, home, secret }, {}),
          provisioner.setSecret?.(name, secret, {}),
          provisioner.setHome?.(name, home, {}),
          provisioner.enable?.(name, {}),
          provisioner.disable?.(name, {}),
          provisioner.archiveHome?.(name, home, {}),
          provisioner.remove?.(name, {}),
        ]
        const codes = await Promise.all(steps.filter((step) => step !== undefined).map(fails))
        expect(new Set(codes), name).to.deep.equal(new Set(codes.length > 0 ? ['REFUSED'] : []))
      }
    })

    describe('an account', () => {
      needs('create')

      it('works at once after it was made', async () => {
        const account = await made('works')
        await works({ username: account.name, password: account.password })
        expect(await logsIn({ username: account.name, password: 'something else' })).to.equal(false)
        const there = await observed(account.name)
        expect(there).to.include({ name: 'works', state: 'enabled', home: account.home, reserved: undefined })
        if (there?.mark !== undefined) expect(there.mark).to.equal(MARK)
      })

      it('is finished by the same step again, when it was left half made', async () => {
        const first = await made('again')
        const there = await observed('again')
        if (there?.mark === undefined) return
        const second = await made('again')
        expect(await observed('again')).to.deep.equal(there)
        await works({ username: 'again', password: second.password })
        expect(await logsIn({ username: 'again', password: first.password })).to.equal(false)
      })

      it('is not taken from somebody else who has the name', async () => {
        const { foreign } = setup
        const before = await observed(foreign.name)
        const secret = { kind: 'password', password: password() } as const
        const home = provisioner.defaultHome(foreign.name)
        for (const mark of [MARK, undefined]) {
          const account = { name: foreign.name, home, secret, mark }
          expect(await fails(provisioner.create?.(account, {}))).to.equal('NAME_TAKEN')
        }
        expect(await observed(foreign.name)).to.deep.equal(before)
        expect(await logsIn({ username: foreign.name, password: foreign.password })).to.equal(true)
      })

      it('is made beside others that are made at the same time', async () => {
        const names = ['many1', 'many2', 'many3', 'many4']
        const sessions = await Promise.all(names.map(() => setup.open()))
        try {
          await Promise.all(
            names.map(async (name, i) => {
              const session = sessions[i]
              const home = provisioner.defaultHome(name)
              await session?.create?.({ name, home, secret: { kind: 'password', password: name }, mark: MARK }, {})
              await session?.makeHome(name, home, {})
            }),
          )
        } finally {
          await Promise.all(sessions.map((session) => session.close()))
        }
        await Promise.all(names.map((name) => works({ username: name, password: name })))
      })
    })

    describe('a new password', () => {
      needs('create', 'setSecret')

      it('takes the place of the old one, also twice', async () => {
        const { name, password: old } = await made('renewed')
        const fresh = password()
        for (let i = 0; i < 2; i++) await provisioner.setSecret?.(name, { kind: 'password', password: fresh }, {})
        await works({ username: name, password: fresh })
        expect(await logsIn({ username: name, password: old })).to.equal(false)
      })

      it('may hold whatever can be typed', async () => {
        const { name } = await made('special')
        const strange = `a'b"c\\d $(id) \`id\` ; & | # : , = ~ % ${randomBytes(4).toString('hex')}`
        await provisioner.setSecret?.(name, { kind: 'password', password: strange }, {})
        await works({ username: name, password: strange })
      })

      it('is refused when it could be taken for more than one line', async () => {
        const { name, password: old } = await made('twolines')
        const bad = { kind: 'password', password: 'x\nroot:owned' } as const
        expect(await fails(provisioner.setSecret?.(name, bad, {}))).to.equal('REFUSED')
        await works({ username: name, password: old })
      })

      it('is for nobody who is not there', async () => {
        const secret = { kind: 'password', password: password() } as const
        expect(await fails(provisioner.setSecret?.('absent', secret, {}))).to.equal('NO_ACCOUNT')
      })
    })

    describe('a disabled account', () => {
      needs('create', 'disable', 'enable')

      it('lets nobody in and keeps its files until it is enabled, each step also twice', async () => {
        const { name, home, password: secret } = await made('paused')
        await works({ username: name, password: secret })
        for (let i = 0; i < 2; i++) await provisioner.disable?.(name, {})
        expect(await observed(name)).to.include({ state: 'disabled', home })
        expect(await logsIn({ username: name, password: secret })).to.equal(false)
        if (setup.local) expect(await readFile(path.join(local(home), 'works.txt'), 'utf8')).to.equal(name)
        for (let i = 0; i < 2; i++) await provisioner.enable?.(name, {})
        expect(await observed(name)).to.include({ state: 'enabled', home })
        await works({ username: name, password: secret })
      })

      it('stays disabled when it gets a new password', async () => {
        const { name } = await made('asleep')
        const fresh = password()
        await provisioner.disable?.(name, {})
        await provisioner.setSecret?.(name, { kind: 'password', password: fresh }, {})
        expect(await observed(name)).to.include({ state: 'disabled' })
        expect(await logsIn({ username: name, password: fresh })).to.equal(false)
        await provisioner.enable?.(name, {})
        await works({ username: name, password: fresh })
      })
    })

    describe('a key', () => {
      before(function () {
        if (!provisioner.create || !provisioner.secrets.includes('key')) this.skip()
      })

      it('lets in whoever holds it, beside the one that is kept, until the next', async () => {
        const [first, second] = [keyPair(), keyPair()]
        const name = 'keyed'
        const home = provisioner.defaultHome(name)
        await provisioner.create?.({ name, home, secret: first.secret, mark: MARK }, {})
        await provisioner.makeHome(name, home, {})
        await works({ username: name, privateKey: first.privateKey })
        await provisioner.setSecret?.(name, second.secret, { keep: first.secret })
        await works({ username: name, privateKey: first.privateKey })
        await works({ username: name, privateKey: second.privateKey })
        await provisioner.setSecret?.(name, second.secret, {})
        expect(await logsIn({ username: name, privateKey: first.privateKey })).to.equal(false)
        await works({ username: name, privateKey: second.privateKey })
        await provisioner.disable?.(name, {})
        expect(await logsIn({ username: name, privateKey: second.privateKey })).to.equal(false)
        await provisioner.enable?.(name, {})
        await works({ username: name, privateKey: second.privateKey })
      })

      it('ends the password of before', async () => {
        const { name, password: old } = await made('switched')
        const fresh = keyPair()
        await provisioner.setSecret?.(name, fresh.secret, {})
        expect(await logsIn({ username: name, password: old })).to.equal(false)
        await works({ username: name, privateKey: fresh.privateKey })
      })

      it('is one line without options', async () => {
        const { name } = await made('careful')
        const { secret } = keyPair()
        const line = secret.kind === 'key' ? secret.publicKey : ''
        for (const publicKey of [`command="id" ${line}`, `${line}\n${line}`]) {
          expect(await fails(provisioner.setSecret?.(name, { kind: 'key', publicKey }, {}))).to.equal('REFUSED')
        }
      })
    })

    describe('a home', () => {
      needs('create')

      it('that is gone is seen and made again', async function () {
        if (!setup.local) this.skip()
        const { name, home, password: secret } = await made('homeless')
        await rm(local(home), { recursive: true })
        if ((await observed(name))?.homeReady !== undefined) {
          expect(await observed(name)).to.include({ homeReady: false })
        }
        await provisioner.makeHome(name, home, {})
        expect((await observed(name))?.homeReady).to.not.equal(false)
        await works({ username: name, password: secret })
      })

      it('of somebody else is not given away', async function () {
        if (!setup.local) this.skip()
        const { name, home } = await made('squatter')
        await chown(local(home), 1999, 1999)
        expect(await fails(provisioner.makeHome(name, home, {}))).to.equal('NAME_TAKEN')
        expect((await lstat(local(home))).uid).to.equal(1999)
      })

      it('can be another folder', async function () {
        if (!provisioner.setHome) this.skip()
        const { name, password: secret } = await made('mover')
        const home = provisioner.defaultHome('moved')
        for (let i = 0; i < 2; i++) await provisioner.setHome(name, home, {})
        await provisioner.makeHome(name, home, {})
        expect(await observed(name)).to.include({ home })
        await works({ username: name, password: secret })
      })

      it('is archived for the admin alone, also twice, and makes room for a new one', async function () {
        if (!provisioner.archiveHome || !setup.local) this.skip()
        const { name, home } = await made('leaver')
        await writeFile(path.join(local(home), 'kept.txt'), 'kept')
        const archive = (await provisioner.archiveHome(name, home, {})) ?? ''
        expect(archive).to.match(/^\/.*leaver\.archived-\d{4}-\d\d-\d\d$/)
        expect(await provisioner.archiveHome(name, home, {})).to.equal(archive)
        const { mode, uid } = await lstat(local(archive))
        expect({ mode: mode & 0o7777, uid }).to.deep.equal({ mode: 0o700, uid: 0 })
        expect(await readFile(path.join(local(archive), 'kept.txt'), 'utf8')).to.equal('kept')
        const { password: secret } = await made(name)
        await works({ username: name, password: secret })
        expect(await provisioner.archiveHome(name, home, {})).to.equal(`${archive}-2`)
      })
    })

    describe('a removed account', () => {
      needs('create', 'remove')

      it('is gone, and its files are not, also twice', async () => {
        const { name, home, password: secret } = await made('goner')
        await works({ username: name, password: secret })
        for (let i = 0; i < 2; i++) await provisioner.remove?.(name, {})
        expect(await observed(name)).to.equal(undefined)
        expect(await logsIn({ username: name, password: secret })).to.equal(false)
        if (setup.local) expect(await readFile(path.join(local(home), 'works.txt'), 'utf8')).to.equal(name)
      })
    })

    it('stops when it is told to', async () => {
      const session = await setup.open()
      const signal = AbortSignal.abort()
      expect(await fails(session.read({ signal }))).to.equal('ABORTED')
      await session.close()
    })
  })
}
