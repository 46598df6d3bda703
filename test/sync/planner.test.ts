import { expect } from 'chai'
import fc from 'fast-check'
import { STEP_KINDS, type PlannedStep } from '../../src/sync/plan.js'
import { planAccounts, type DesiredAccount, type KnownAccount, type Rules } from '../../src/sync/planner.js'
import type { ObservedAccount } from '../../src/sync/provisioner.js'

const rules: Rules = {
  can: new Set(STEP_KINDS),
  nameProblem: (name) => (name === 'root' ? 'This name belongs to the system.' : undefined),
  defaultHome: (name) => `/home/${name}`,
}

function wanted(name: string, fields: Partial<DesiredAccount> = {}): DesiredAccount {
  return { name, username: name, enabled: true, home: undefined, secretVersion: 2, ...fields }
}

function known(name: string, fields: Partial<KnownAccount> = {}): KnownAccount {
  return {
    ...{ name, origin: 'created', state: 'enabled', ending: 'keep', home: undefined, archivedHome: undefined },
    ...{ secretVersion: 2, secretRejected: false, rotate: false, oldSecretOver: false, mark: `mark-${name}` },
    ...fields,
  }
}

function there(name: string, fields: Partial<ObservedAccount> = {}): ObservedAccount {
  return { name, state: 'enabled', home: `/home/${name}`, homeReady: true, ...fields }
}

const said = (input: Partial<Parameters<typeof planAccounts>[0]>) => {
  const { steps, findings } = planAccounts({ desired: [], observed: [], known: [], rules, ...input })
  return [
    ...steps.map(({ kind, account }) => `${kind} ${account}`),
    ...findings.map(({ kind, account }) => `(${kind} ${account})`),
  ]
}

describe('planAccounts', () => {
  const cases: [string, Partial<Parameters<typeof planAccounts>[0]>, string[]][] = [
    ['makes what is not there', { desired: [wanted('a')] }, ['create a', 'make-home a']],
    ['does not make an account that nobody may use', { desired: [wanted('a', { enabled: false })] }, []],
    [
      'has nothing to do for what is as it should be',
      { desired: [wanted('a')], observed: [there('a')], known: [known('a')] },
      [],
    ],
    ['refuses a foreign account of the wanted name', { desired: [wanted('a')], observed: [there('a')] }, ['(adopt a)']],
    ['refuses a reserved name', { desired: [wanted('root')] }, ['(refused root)']],
    [
      'refuses an account of the system',
      { desired: [wanted('a')], observed: [there('a', { reserved: 'uid 2' })], known: [known('a')] },
      ['(refused a)'],
    ],
    ['refuses an account for two', { desired: [wanted('a'), wanted('a', { username: 'b' })] }, ['(refused a)']],
    ['tells of what nobody wants', { observed: [there('a')] }, ['(unknown a)']],
    ['is silent about the accounts of the system', { observed: [there('a', { reserved: 'uid 2' })] }, []],
    ['disables what lost its permission', { observed: [there('a')], known: [known('a')] }, ['disable a']],
    [
      'archives when that was decided',
      { observed: [there('a', { state: 'disabled' })], known: [known('a', { ending: 'archive' })] },
      ['archive-home a'],
    ],
    [
      'archives before it removes',
      { observed: [there('a')], known: [known('a', { ending: 'remove' })] },
      ['disable a', 'archive-home a', 'remove a'],
    ],
    [
      'archives once',
      { observed: [there('a', { state: 'disabled' })], known: [known('a', { ending: 'archive', archivedHome: '/x' })] },
      [],
    ],
    [
      'sets a secret that was changed in the gateway',
      { desired: [wanted('a')], observed: [there('a')], known: [known('a', { secretVersion: 1 })] },
      ['set-secret a'],
    ],
    [
      'sets a secret that is due',
      { desired: [wanted('a')], observed: [there('a')], known: [known('a', { rotate: true })] },
      ['set-secret a'],
    ],
    [
      'ends a secret of before whose time is over',
      { desired: [wanted('a')], observed: [there('a')], known: [known('a', { oldSecretOver: true })] },
      ['end-old-secret a'],
    ],
    [
      'leaves a secret of before to the new one that is due',
      { desired: [wanted('a')], observed: [there('a')], known: [known('a', { oldSecretOver: true, rotate: true })] },
      ['set-secret a'],
    ],
    [
      'leaves the home of an adopted account where it is',
      {
        desired: [wanted('a')],
        observed: [there('a', { home: '/srv/a' })],
        known: [known('a', { origin: 'adopted', home: '/srv/a' })],
      },
      [],
    ],
    [
      'moves a home to where it is wanted',
      { desired: [wanted('a', { home: '/srv/a' })], observed: [there('a')], known: [known('a')] },
      ['fix-home a', 'make-home a'],
    ],
    [
      'takes up what it was about to make',
      {
        desired: [wanted('a')],
        observed: [there('a', { mark: 'mark-a' })],
        known: [known('a', { state: 'creating' })],
      },
      ['create a', 'make-home a'],
    ],
    [
      'takes what came meanwhile for foreign',
      { desired: [wanted('a')], observed: [there('a')], known: [known('a', { state: 'creating' })] },
      ['(adopt a)'],
    ],
  ]
  for (const [title, input, expected] of cases) {
    it(title, () => expect(said(input)).to.deep.equal(expected))
  }

  it('makes homes and nothing else where the server can do no more', () => {
    const folder: Rules = { ...rules, can: new Set(['make-home']) }
    const desired = [wanted('a'), wanted('b')]
    expect(said({ desired, observed: [there('a')], rules: folder })).to.deep.equal(['make-home b'])
  })

  it('reaches the wanted state from any other, and then has nothing to do', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'root')
    const by = { selector: (account: { name: string }) => account.name }
    const desired = fc.uniqueArray(
      fc.record({ name, enabled: fc.boolean(), home: fc.constantFrom(undefined, '/srv/x') }),
      by,
    )
    const observed = fc.uniqueArray(
      fc.record({
        name,
        state: fc.constantFrom('enabled' as const, 'disabled' as const),
        home: fc.constantFrom('/home/a', '/srv/x'),
        homeReady: fc.boolean(),
        reserved: fc.constantFrom(undefined, undefined, 'uid 2'),
      }),
      by,
    )
    const records = fc.uniqueArray(
      fc.record({
        name,
        ending: fc.constantFrom('keep' as const, 'archive' as const, 'remove' as const),
        secretVersion: fc.constantFrom(undefined, 1, 2),
        oldSecretOver: fc.boolean(),
        state: fc.constantFrom('creating' as const, 'enabled' as const, 'disabled' as const),
      }),
      by,
    )
    fc.assert(
      fc.property(desired, observed, records, (d, o, r) => {
        const input = {
          desired: d.map((fields) => wanted(fields.name, fields)),
          observed: o.map(({ reserved, ...fields }) => ({ ...fields, ...(reserved !== undefined && { reserved }) })),
          known: r.map((fields) => known(fields.name, fields)),
          rules,
        }
        const { steps } = planAccounts(input)
        const before = new Map(input.observed.map((account) => [account.name, account]))
        const ours = new Set(input.known.filter(({ state }) => state !== 'creating').map((account) => account.name))
        const after = carriedOut(steps, input)
        for (const [account, fields] of before) {
          if (!ours.has(account) || fields.reserved !== undefined || account === 'root') {
            expect(after.observed.find(({ name }) => name === account)).to.deep.equal(fields)
          }
        }
        expect(planAccounts({ ...after, desired: input.desired, rules }).steps).to.deep.equal([])
      }),
      { numRuns: 500 },
    )
  })

  it('plans 1,000 users on one server within the time of a page', () => {
    const names = Array.from({ length: 1000 }, (_, index) => `user${index}`)
    const desired = names.map((name) => wanted(name))
    const observed = names.slice(0, 500).map((name) => there(name))
    const records = names.slice(0, 500).map((name) => known(name))
    expect(planAccounts({ desired, observed, known: records, rules }).steps).to.have.length(1000)
  }).timeout(1250)
})

/** What is there and known after all steps went well. */
function carriedOut(
  steps: readonly PlannedStep[],
  input: { desired: DesiredAccount[]; observed: ObservedAccount[]; known: KnownAccount[] },
) {
  const observed = new Map(input.observed.map((account) => [account.name, account]))
  const records = new Map(input.known.map((account) => [account.name, account]))
  for (const { account: name, kind } of steps) {
    const found = observed.get(name)
    const record = records.get(name)
    const home =
      input.desired.find((account) => account.name === name)?.home ?? record?.home ?? found?.home ?? `/home/${name}`
    const set = (change: Partial<ObservedAccount>) => observed.set(name, { ...(found ?? there(name)), ...change })
    const learn = (change: Partial<KnownAccount>) => records.set(name, { ...(record ?? known(name)), ...change })
    if (kind === 'create') {
      set({ state: 'enabled', home, homeReady: false })
      learn({ state: 'enabled', home, secretVersion: 2, oldSecretOver: false, archivedHome: undefined })
    } else if (kind === 'make-home') set({ home, homeReady: true })
    else if (kind === 'fix-home') set({ home, homeReady: false })
    else if (kind === 'set-secret') learn({ secretVersion: 2, oldSecretOver: false })
    else if (kind === 'end-old-secret') learn({ oldSecretOver: false })
    else if (kind === 'enable') set({ state: 'enabled' })
    else if (kind === 'disable') set({ state: 'disabled' })
    else if (kind === 'archive-home') {
      set({ homeReady: false })
      learn({ archivedHome: '/archive' })
    } else {
      observed.delete(name)
      records.delete(name)
    }
  }
  return { observed: [...observed.values()], known: [...records.values()] }
}
