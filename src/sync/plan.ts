/** What can be done to one account, in the order in which it is done. */
export const STEP_KINDS = [
  'create',
  'fix-home',
  'make-home',
  'set-secret',
  'end-old-secret',
  'enable',
  'disable',
  'archive-home',
  'remove',
] as const
export type StepKind = (typeof STEP_KINDS)[number]

/** Steps that take something away: many of them at once want a second yes. */
export const REMOVALS: ReadonlySet<StepKind> = new Set(['disable', 'archive-home', 'remove'])

/** The detail of a `set-secret` that only its schedule, or somebody who wanted a new one, asks for. */
export const SECRET_DUE = 'a new secret is due'

/** The detail of an `end-old-secret`. */
export const OLD_SECRET_OVER = 'the secret of before is not used any more'

export interface PlannedStep {
  readonly account: string
  readonly kind: StepKind
  /** What is different now, in words. */
  readonly detail: string
}

/** What the plan leaves alone, and why. */
export interface Finding {
  readonly account: string
  /** `adopt`: a foreign account has the wanted name; `unknown`: nobody wants it. */
  readonly kind: 'adopt' | 'refused' | 'unknown'
  readonly detail: string
}

export interface ServerPlan {
  readonly serverId: number
  readonly alias: string
  readonly steps: readonly PlannedStep[]
  readonly findings: readonly Finding[]
  /** Why the server could not be read; then there are no steps. */
  readonly problem?: string | undefined
}

export function removalsIn(plans: readonly ServerPlan[]): number {
  return plans.flatMap(({ steps }) => steps).filter(({ kind }) => REMOVALS.has(kind)).length
}
