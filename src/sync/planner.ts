import { OLD_SECRET_OVER, SECRET_DUE, type Finding, type PlannedStep, type StepKind } from './plan.js'
import type { ObservedAccount, Provisioner } from './provisioner.js'

/** What the decisions in the gateway want of one account. */
export interface DesiredAccount {
  readonly name: string
  /** Whose it is, for people. */
  readonly username: string
  readonly enabled: boolean
  /** Absolute; undefined: nobody said. */
  readonly home: string | undefined
  readonly secretVersion: number
}

/** What the gateway remembers of an account that it made or was given. */
export interface KnownAccount {
  readonly name: string
  readonly origin: 'created' | 'adopted'
  /** `creating`: it was about to be made, and is ours if it is there. */
  readonly state: 'creating' | 'enabled' | 'disabled' | 'removed'
  /** What was decided for the time after its permission. */
  readonly ending: 'keep' | 'archive' | 'remove'
  readonly home: string | undefined
  readonly archivedHome: string | undefined
  readonly secretVersion: number | undefined
  /** The server refuses the secret, as far as is known. */
  readonly secretRejected: boolean
  /** Its time is over, or somebody wants a new one. */
  readonly rotate: boolean
  /** The server still takes the secret of before, and has done so long enough. */
  readonly oldSecretOver: boolean
  /** What the server keeps beside an account that we made, where it can. */
  readonly mark: string
}

/** What a kind of server can do and takes. */
export interface Rules {
  readonly can: ReadonlySet<StepKind>
  nameProblem(name: string): string | undefined
  defaultHome(name: string): string
}

export interface PlannerInput {
  readonly desired: readonly DesiredAccount[]
  readonly observed: readonly ObservedAccount[]
  readonly known: readonly KnownAccount[]
  readonly rules: Rules
}

interface AccountPlan {
  readonly steps: readonly PlannedStep[]
  readonly findings: readonly Finding[]
}

const NOTHING: AccountPlan = { steps: [], findings: [] }

/**
 * The steps from what is there to what is wanted; empty when nothing has to be done. Pure: equal input, equal plan. Touches
 * no account that the gateway does not know as its own.
 */
export function planAccounts({ desired, observed, known, rules }: PlannerInput): AccountPlan {
  const wanted = new Map<string, DesiredAccount[]>()
  for (const account of desired) wanted.set(account.name, [...(wanted.get(account.name) ?? []), account])
  const there = new Map(observed.map((account) => [account.name, account]))
  const records = new Map(known.map((account) => [account.name, account]))
  const names = [...new Set([...wanted.keys(), ...records.keys(), ...there.keys()])].sort()
  const plans = names.map((name) => {
    const owners = wanted.get(name) ?? []
    const [owner, second] = owners
    if (owner && second) {
      const who = owners.map(({ username }) => username).join(' and ')
      return finding(name, 'refused', `is wanted for ${who}: an account that is managed serves one user`)
    }
    return planAccount(name, owner, there.get(name), records.get(name), rules)
  })
  return { steps: plans.flatMap(({ steps }) => steps), findings: plans.flatMap(({ findings }) => findings) }
}

export function rulesOf(provisioner: Provisioner): Rules {
  const can = new Set<StepKind>(['make-home'])
  if (provisioner.create) can.add('create')
  if (provisioner.setSecret) can.add('set-secret').add('end-old-secret')
  if (provisioner.setHome) can.add('fix-home')
  if (provisioner.enable) can.add('enable')
  if (provisioner.disable) can.add('disable')
  if (provisioner.archiveHome) can.add('archive-home')
  if (provisioner.remove) can.add('remove')
  return {
    can,
    nameProblem: (name) => provisioner.nameProblem(name),
    defaultHome: (name) => provisioner.defaultHome(name),
  }
}

/** Where the home of an account has to be. */
export function wantedHome(
  wanted: { readonly home: string | undefined } | undefined,
  record: { readonly home: string | undefined } | undefined,
  observed: ObservedAccount | undefined,
  rules: Pick<Rules, 'defaultHome'>,
  name: string,
): string {
  return wanted?.home ?? record?.home ?? observed?.home ?? rules.defaultHome(name)
}

function planAccount(
  name: string,
  wanted: DesiredAccount | undefined,
  there: ObservedAccount | undefined,
  remembered: KnownAccount | undefined,
  rules: Rules,
): AccountPlan {
  // What came into being while ours was about to be made is somebody else's.
  const foreign = remembered?.state === 'creating' && there !== undefined && there.mark !== remembered.mark
  const record = foreign ? undefined : remembered
  if (!wanted && !record) return there && !there.reserved ? finding(name, 'unknown', 'nobody wants it here') : NOTHING
  const problem = rules.nameProblem(name) ?? there?.reserved
  if (problem !== undefined) return wanted ? finding(name, 'refused', problem) : NOTHING
  if (!rules.can.has('create')) return planFolder(name, wanted, there)
  if (there && !record)
    return finding(name, 'adopt', `is there already, and nobody gave it to ${wanted?.username ?? ''}`)
  if (!wanted) return there && record ? planEnd(name, there, record, rules) : NOTHING
  if (!there || record?.state === 'creating') {
    if (!wanted.enabled) return there ? planEnd(name, there, undefined, rules) : NOTHING
    const lost = record && record.state !== 'creating' && record.state !== 'removed'
    const detail = lost ? 'is gone from the server' : `is not there yet, for ${wanted.username}`
    const home = wantedHome(wanted, record, there, rules, name)
    return steps(name, [
      ['create', detail],
      ['make-home', home],
    ])
  }
  return planExisting(name, wanted, there, record as KnownAccount, rules)
}

/** A kind that makes homes and nothing else. */
function planFolder(name: string, wanted: DesiredAccount | undefined, there: ObservedAccount | undefined): AccountPlan {
  if (!wanted?.enabled || (there && there.homeReady !== false)) return NOTHING
  return steps(name, [['make-home', `is not there yet, for ${wanted.username}`]])
}

function planExisting(
  name: string,
  wanted: DesiredAccount,
  there: ObservedAccount,
  record: KnownAccount,
  rules: Rules,
): AccountPlan {
  if (!wanted.enabled) return planEnd(name, there, undefined, rules)
  const home = wantedHome(wanted, record, there, rules, name)
  const moved = there.home !== undefined && there.home !== home
  const list: [StepKind, string][] = []
  if (moved) list.push(['fix-home', `${there.home} -> ${home}`])
  if (moved || there.homeReady === false) list.push(['make-home', moved ? home : `${home} is gone or not its own`])
  const secret = secretDifference(wanted, record)
  if (secret !== undefined) list.push(['set-secret', secret])
  else if (record.oldSecretOver) list.push(['end-old-secret', OLD_SECRET_OVER])
  if (there.state === 'disabled') list.push(['enable', 'is disabled'])
  return steps(
    name,
    list.filter(([kind]) => rules.can.has(kind)),
  )
}

function secretDifference({ secretVersion }: DesiredAccount, record: KnownAccount): string | undefined {
  if (record.rotate) return SECRET_DUE
  if (record.secretVersion === undefined) return 'has no secret of the gateway yet'
  if (record.secretRejected) return 'the server refuses the secret'
  if (record.secretVersion !== secretVersion) return 'the secret was changed in the gateway'
  return undefined
}

/** Of an account that nobody may use now. Without `record` it is only kept from logging in. */
function planEnd(name: string, there: ObservedAccount, record: KnownAccount | undefined, rules: Rules): AccountPlan {
  const list: [StepKind, string][] = []
  if (there.state === 'enabled')
    list.push(['disable', record ? 'its permission is gone' : 'its user may not use it now'])
  const ending = record?.ending ?? 'keep'
  // Files of an adopted account were there before us: they go nowhere unless an admin says so for this account.
  if (ending !== 'keep' && record?.archivedHome === undefined && there.homeReady !== false) {
    list.push(['archive-home', `${there.home ?? record?.home ?? rules.defaultHome(name)} is put away`])
  }
  if (ending === 'remove') list.push(['remove', 'the account goes, its files stay'])
  return steps(
    name,
    list.filter(([kind]) => rules.can.has(kind)),
  )
}

function steps(account: string, list: readonly (readonly [StepKind, string])[]): AccountPlan {
  return { steps: list.map(([kind, detail]) => ({ account, kind, detail })), findings: [] }
}

function finding(account: string, kind: Finding['kind'], detail: string): AccountPlan {
  return { steps: [], findings: [{ account, kind, detail }] }
}
