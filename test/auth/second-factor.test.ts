import { expect } from 'chai'
import { Secret, TOTP } from 'otpauth'
import { SecondFactor } from '../../src/auth/second-factor.js'
import { Throttle } from '../../src/auth/throttle.js'
import { openDatabase } from '../../src/db/database.js'
import { AuditLog } from '../../src/audit/audit-log.js'
import { ConflictError, ValidationError } from '../../src/errors.js'
import { actor, audited, openTestServices, rejectionOf, type TestServices } from '../support/services.js'

const HOME = '192.0.2.1'
const STEP = 30_000

describe('SecondFactor', () => {
  let services: TestServices
  let factor: SecondFactor
  let throttle: Throttle
  let userId: number
  let now: number

  beforeEach(async () => {
    services = await openTestServices()
    userId = (await services.users.create({ username: 'user1', password: 'password-1' }, actor)).id
    now = Math.ceil(Date.now() / STEP) * STEP
    throttle = new Throttle()
    factor = new SecondFactor(services.database, services.audit, services.cipher, throttle, () => now)
  })
  afterEach(() => services.close())

  const codeOf = (secret: string, at = now) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: at })
  const wrongFor = (secret: string) => (codeOf(secret) === '123456' ? '654321' : '123456')

  /** Switched on, and the step of the code that did it is over. */
  async function switchedOn(): Promise<{ secret: string; recoveryCodes: string[] }> {
    const { secret } = await factor.begin(userId, actor)
    const { recoveryCodes } = await factor.confirm(userId, codeOf(secret), actor)
    now += STEP
    return { secret, recoveryCodes }
  }

  it('is on once a code of the new secret was seen, and not before', async () => {
    const { secret, uri } = await factor.begin(userId, actor)
    expect(uri)
      .to.match(/^otpauth:\/\/totp\/FTPCluster:user1\?/)
      .and.to.include(secret)
    expect(await factor.isActive(userId)).to.equal(false)
    const error = await rejectionOf(factor.confirm(userId, wrongFor(secret), actor))
    expect((error as ValidationError).problems[0]?.field).to.equal('code')
    expect(await factor.isActive(userId)).to.equal(false)
    expect(await factor.verify(userId, codeOf(secret), HOME), 'a code of what is not on').to.equal('wrong')
    const { recoveryCodes, authVersion } = await factor.confirm(userId, codeOf(secret), actor)
    expect(recoveryCodes).to.have.length(10)
    expect(await services.users.get(userId)).to.include({ hasSecondFactor: true, authVersion })
    expect(authVersion, 'what was open ends').to.equal(2)
  })

  it('keeps secret and recovery codes unreadable', async () => {
    const { secret, recoveryCodes } = await switchedOn()
    const { User, RecoveryCode } = services.database.models
    const rows = [
      await User.findAll({ raw: true }),
      await RecoveryCode.findAll({ raw: true }),
      await services.audit.list(),
    ]
    const stored = JSON.stringify(rows)
    expect(stored).to.not.include(secret)
    for (const code of recoveryCodes) expect(stored).to.not.include(code).and.not.include(code.replaceAll('-', ''))
  })

  it('begins anew as often as wanted, and counts only the last secret', async () => {
    const first = await factor.begin(userId, actor)
    const second = await factor.begin(userId, actor)
    expect(await rejectionOf(factor.confirm(userId, codeOf(first.secret), actor))).to.be.instanceOf(ValidationError)
    await factor.confirm(userId, codeOf(second.secret), actor)
    expect(await rejectionOf(factor.begin(userId, actor))).to.be.instanceOf(ConflictError)
    expect(await rejectionOf(factor.confirm(userId, codeOf(second.secret), actor))).to.be.instanceOf(ConflictError)
  })

  it('confirms nothing that was not begun', async () => {
    expect(await rejectionOf(factor.confirm(userId, '123456', actor))).to.be.instanceOf(ConflictError)
  })

  it('takes each code once, with or without the blank that apps show', async () => {
    const { secret } = await switchedOn()
    const code = codeOf(secret)
    expect(await factor.verify(userId, `${code.slice(0, 3)} ${code.slice(3)}`, HOME)).to.equal('ok')
    expect(await factor.verify(userId, code, HOME)).to.equal('wrong')
    now += STEP
    expect(await factor.verify(userId, code, HOME), 'in the next step').to.equal('wrong')
    expect(await factor.verify(userId, codeOf(secret), HOME)).to.equal('ok')
  })

  it('takes not the code that switched it on', async () => {
    const { secret } = await factor.begin(userId, actor)
    await factor.confirm(userId, codeOf(secret), actor)
    expect(await factor.verify(userId, codeOf(secret), HOME)).to.equal('wrong')
  })

  it('takes a code of the step before, and not once the present one was used', async () => {
    const { secret } = await switchedOn()
    now += STEP
    expect(await factor.verify(userId, codeOf(secret, now - STEP), HOME)).to.equal('ok')
    now += 2 * STEP
    expect(await factor.verify(userId, codeOf(secret), HOME)).to.equal('ok')
    expect(await factor.verify(userId, codeOf(secret, now - STEP), HOME)).to.equal('wrong')
  })

  it('takes a code once also when it comes to two processes at once', async () => {
    const { secret } = await switchedOn()
    const database = await openDatabase({ dataDir: services.folder })
    try {
      const elsewhere = new SecondFactor(database, new AuditLog(database), services.cipher, new Throttle(), () => now)
      const both = [factor.verify(userId, codeOf(secret), HOME), elsewhere.verify(userId, codeOf(secret), HOME)]
      expect((await Promise.all(both)).sort()).to.deep.equal(['ok', 'wrong'])
    } finally {
      await database.close()
    }
  })

  it('takes each recovery code once, however it is typed', async () => {
    const { recoveryCodes } = await switchedOn()
    const [first = '', second = ''] = recoveryCodes
    expect(first).to.match(/^[0-9a-z]{4}(-[0-9a-z]{4}){3}$/)
    expect(await factor.verify(userId, first, HOME)).to.equal('ok')
    expect(await factor.verify(userId, first, HOME)).to.equal('wrong')
    const typed = second.toUpperCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')
    expect(await factor.verify(userId, ` ${typed} `, HOME)).to.equal('ok')
    expect(await factor.recoveryCodesLeft(userId)).to.equal(8)
    expect((await audited(services)).filter((line) => line === 'user.recovery-code-used user1')).to.have.length(2)
  })

  it('takes a recovery code once also when it comes twice at once, here or in two processes', async () => {
    const { recoveryCodes } = await switchedOn()
    const [first = '', second = ''] = recoveryCodes
    const here = await Promise.all([factor.verify(userId, first, HOME), factor.verify(userId, first, HOME)])
    expect(here.sort()).to.deep.equal(['ok', 'wrong'])
    const database = await openDatabase({ dataDir: services.folder })
    try {
      const elsewhere = new SecondFactor(database, new AuditLog(database), services.cipher, new Throttle(), () => now)
      const both = [factor.verify(userId, second, HOME), elsewhere.verify(userId, second, HOME)]
      expect((await Promise.all(both)).sort()).to.deep.equal(['ok', 'wrong'])
    } finally {
      await database.close()
    }
  })

  it('takes no code of another user', async () => {
    const { secret, recoveryCodes } = await switchedOn()
    const other = await services.users.create({ username: 'other', password: 'password-1' }, actor)
    const begun = await factor.begin(other.id, actor)
    await factor.confirm(other.id, codeOf(begun.secret), actor)
    now += STEP
    expect(await factor.verify(other.id, recoveryCodes[0] ?? '', HOME)).to.equal('wrong')
    if (codeOf(secret) !== codeOf(begun.secret)) {
      expect(await factor.verify(other.id, codeOf(secret), HOME)).to.equal('wrong')
    }
  })

  it('looks at nothing any more after five wrong codes, also when they come at once', async () => {
    const { secret } = await switchedOn()
    const guesses = Array.from({ length: 30 }, () => factor.verify(userId, wrongFor(secret), HOME))
    const verdicts = await Promise.all(guesses)
    expect(verdicts.filter((verdict) => verdict === 'wrong')).to.have.length(5)
    expect(verdicts.filter((verdict) => verdict === 'throttled')).to.have.length(25)
    expect(await factor.verify(userId, codeOf(secret), HOME), 'the right one').to.equal('throttled')
    expect(await factor.verify(userId, codeOf(secret), '198.51.100.1'), 'elsewhere').to.equal('ok')
    expect((await audited(services)).filter((line) => line === 'user.second-factor-failed user1')).to.have.length(5)
  })

  it('stops who guesses from many networks, and lets the owner in where codes were right before', async () => {
    const { secret } = await switchedOn()
    expect(await factor.verify(userId, codeOf(secret), HOME)).to.equal('ok')
    now += STEP
    const verdicts = []
    for (let n = 0; n < 22; n++) verdicts.push(await factor.verify(userId, wrongFor(secret), `198.51.100.${n}`))
    expect(verdicts.indexOf('throttled')).to.equal(20)
    expect(await factor.verify(userId, codeOf(secret), HOME)).to.equal('ok')
  })

  it('is switched off with a code only, and forgets the recovery codes', async () => {
    const { secret, recoveryCodes } = await switchedOn()
    const wrong = await rejectionOf(factor.disable(userId, wrongFor(secret), actor))
    expect((wrong as ValidationError).problems[0]?.field).to.equal('code')
    expect(await factor.isActive(userId)).to.equal(true)
    expect(await factor.disable(userId, codeOf(secret), actor)).to.deep.equal({ authVersion: 3 })
    expect(await factor.isActive(userId)).to.equal(false)
    expect(await factor.recoveryCodesLeft(userId)).to.equal(0)
    expect(await factor.verify(userId, recoveryCodes[0] ?? '', HOME)).to.equal('wrong')
    expect(await rejectionOf(factor.disable(userId, codeOf(secret), actor))).to.be.instanceOf(ConflictError)
  })

  it('makes new recovery codes with a code only; the old ones are no good then', async () => {
    const { secret, recoveryCodes } = await switchedOn()
    const wrong = await rejectionOf(factor.newRecoveryCodes(userId, wrongFor(secret), actor))
    expect(wrong).to.be.instanceOf(ValidationError)
    const renewed = await factor.newRecoveryCodes(userId, codeOf(secret), actor)
    expect(await factor.verify(userId, recoveryCodes[0] ?? '', HOME)).to.equal('wrong')
    expect(await factor.verify(userId, renewed[0] ?? '', HOME)).to.equal('ok')
  })

  it('is reset by an admin without a code, which ends what is open; a second time nothing happens', async () => {
    await switchedOn()
    await factor.reset(userId, actor)
    expect(await services.users.get(userId)).to.include({ hasSecondFactor: false, authVersion: 3 })
    await factor.reset(userId, actor)
    expect((await services.users.get(userId)).authVersion).to.equal(3)
    expect((await audited(services)).filter((line) => line === 'user.second-factor-reset user1')).to.have.length(1)
  })

  it('records each step', async () => {
    const { secret } = await switchedOn()
    await factor.disable(userId, codeOf(secret), actor)
    expect(await audited(services, 3)).to.deep.equal([
      'user.second-factor-disabled user1',
      'user.second-factor-enabled user1',
      'user.second-factor-begun user1',
    ])
  })
})
