import { expect } from 'chai'
import type { ServerPlan } from '../../../../src/sync/plan.js'
import type { Run, StepCounts } from '../../../../src/sync/sync-queue.js'
import { wordsOfRun } from '../../../../src/web/pages/sync/run-words.js'
import { actor } from '../../../support/services.js'

const STEP = { account: 'anna', kind: 'create', detail: 'is not there yet' } as const
const ONE: ServerPlan = { serverId: 1, alias: 'alpha', steps: [STEP], findings: [] }
const NONE: ServerPlan = { ...ONE, steps: [] }
const UNREAD: ServerPlan = { ...NONE, alias: 'beta', problem: 'does not answer' }

describe('the words for a run', () => {
  for (const [kind, state, plan, counts, title, words] of [
    ['plan', 'planned', [ONE], {}, 'Plan 7', 'not applied: 1 step'],
    ['plan', 'planned', [ONE, UNREAD], {}, 'Plan 7', 'not applied: 1 step; not read: beta'],
    ['plan', 'planned', [NONE], {}, 'Plan 7', 'in step: nothing to do'],
    ['plan', 'planned', [NONE, UNREAD], {}, 'Plan 7', 'not read: beta'],
    ['plan', 'done', [NONE], {}, 'Plan 7', 'done: nothing to do'],
    ['plan', 'done', [ONE], { done: 1 }, 'Plan 7', 'done: 1 step'],
    ['plan', 'failed', [ONE, ONE], { done: 1, failed: 1 }, 'Plan 7', 'failed: 1 of 2 steps'],
    ['plan', 'running', [ONE, ONE], { done: 1, queued: 1 }, 'Plan 7', 'under way: 1 of 2 steps done, 1 to go'],
    ['plan', 'aborted', [ONE, ONE], { done: 1, aborted: 1 }, 'Plan 7', 'stopped: 1 of 2 steps done, 1 left'],
    ['plan', 'aborted', [ONE], { aborted: 1 }, 'Plan 7', 'stopped: nothing was done'],
    ['change', 'planned', [ONE], { waiting: 1 }, 'Change 7', 'waits for a yes: 1 step'],
    ['change', 'planned', [ONE], {}, 'Change 7', 'replaced: a newer plan or change took its place'],
    ['change', 'running', [ONE], { queued: 1 }, 'Change 7', 'under way: 0 of 1 step done, 1 to go'],
    ['repair', 'planned', [ONE], {}, 'Check 7', 'different: 1 step'],
    ['repair', 'planned', [NONE], {}, 'Check 7', 'in step: nothing to do'],
  ] as const) {
    it(`of the kind ${kind} that is ${state}, "${words}"`, () => {
      const { result, detail, ...said } = wordsOfRun(runOf({ kind, state, plan }), { ...NO_STEPS, ...counts })
      expect([said.title, `${result}: ${detail}`]).to.deep.equal([title, words])
    })
  }

  it('tell what can still be applied: what has steps, and no newer decision in its place', () => {
    const can = (run: Partial<Run>, counts: Partial<StepCounts> = {}) =>
      wordsOfRun(runOf(run), { ...NO_STEPS, ...counts }).appliable
    expect(can({})).to.equal(true)
    expect(can({ kind: 'change' }, { waiting: 1 })).to.equal(true)
    expect(can({ kind: 'change' })).to.equal(false)
    expect(can({ plan: [NONE] })).to.equal(false)
    expect(can({ state: 'done' }, { done: 1 })).to.equal(false)
  })
})

const NO_STEPS: StepCounts = { waiting: 0, queued: 0, done: 0, failed: 0, aborted: 0 }

function runOf(fields: Partial<Run>): Run {
  const run = { id: 7, kind: 'plan', state: 'planned', actor, plan: [ONE], createdAt: new Date() } as const
  return { ...run, startedAt: undefined, finishedAt: undefined, ...fields }
}
