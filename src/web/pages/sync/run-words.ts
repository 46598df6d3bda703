import { actorName } from '../../../audit/actor.js'
import { isReplaced, type Run, type RunKind, type StepCounts } from '../../../sync/sync-queue.js'

/** One run in words: what it is, how it went, and what that means. */
export interface RunWords {
  readonly title: string
  readonly result: string
  readonly look: 'success' | 'danger' | 'warning' | 'info' | 'secondary'
  /** Behind the result; empty where there is nothing to add. */
  readonly detail: string
  readonly by: string
  readonly steps: number
  /** A yes is still missing, and can be given. */
  readonly appliable: boolean
}

const TITLES: Readonly<Record<RunKind, string>> = { plan: 'Plan', change: 'Change', repair: 'Check' }

export function wordsOfRun(run: Run, counts: StepCounts): RunWords {
  const steps = run.plan.reduce((sum, plan) => sum + plan.steps.length, 0)
  const replaced = isReplaced(run, counts)
  return {
    ...{ title: `${TITLES[run.kind]} ${run.id}`, by: actorName(run.actor), steps },
    ...(run.state === 'planned' ? planned(run, steps, replaced) : applied(run, counts, steps)),
    appliable: run.state === 'planned' && steps > 0 && !replaced,
  }
}

type Result = Pick<RunWords, 'result' | 'look' | 'detail'>

function planned(run: Run, steps: number, replaced: boolean): Result {
  const unread = run.plan.filter(({ problem }) => problem !== undefined).map(({ alias }) => alias)
  const notRead = unread.length === 0 ? '' : `not read: ${unread.join(', ')}`
  if (replaced) return { result: 'replaced', look: 'secondary', detail: 'a newer plan or change took its place' }
  if (steps === 0 && notRead !== '') return { result: 'not read', look: 'danger', detail: unread.join(', ') }
  if (steps === 0) return { result: 'in step', look: 'success', detail: 'nothing to do' }
  const detail = [amount(steps), notRead].filter((part) => part !== '').join('; ')
  if (run.kind === 'change') return { result: 'waits for a yes', look: 'warning', detail }
  return { result: run.kind === 'repair' ? 'different' : 'not applied', look: 'warning', detail }
}

function applied(run: Run, counts: StepCounts, steps: number): Result {
  const { done, failed, queued, aborted } = counts
  const of = (count: number) => `${count} of ${amount(steps)}`
  switch (run.state) {
    case 'failed':
      return { result: 'failed', look: 'danger', detail: of(failed) }
    case 'aborted':
      return {
        result: 'stopped',
        look: 'secondary',
        detail: done > 0 ? `${of(done)} done, ${aborted} left` : 'nothing was done',
      }
    case 'done':
      return { result: 'done', look: 'success', detail: steps === 0 ? 'nothing to do' : amount(steps) }
    default:
      return { result: 'under way', look: 'info', detail: `${of(done)} done${queued > 0 ? `, ${queued} to go` : ''}` }
  }
}

function amount(steps: number): string {
  return steps === 1 ? '1 step' : `${steps} steps`
}
