import { eventHash, GENESIS } from '../db/audit-chain.js'
import type { DatabaseAuditStore, StoredAnchor, StoredEvent } from '../db/stores/audit-store.js'
import type { AuditSeal } from './audit-seal.js'

export type Verification =
  | {
      readonly ok: true
      readonly events: number
      /** Numbers of the first and the last event; 0 when there is none. */
      readonly first: number
      readonly last: number
      /** Anchors that were compared. */
      readonly anchors: number
    }
  | {
      readonly ok: false
      /** Number of the first event that is not as it should be. */
      readonly event: number
      readonly problem: 'edited' | 'deleted' | 'reordered' | 'tail-cut' | 'not-anchored' | 'forged-anchor'
      /** For people. */
      readonly message: string
    }

/** An anchor as somebody kept it elsewhere, e.g. in the log. */
export interface KnownAnchor {
  readonly event: number
  readonly hash: string
}

const BATCH = 1000

/**
 * Reads the whole chain in order: every event must be hashed as it stands, follow the one before it, and be the one that
 * was anchored. The first that is not is named.
 * @param seal undefined: anchors are compared, whoever made them
 */
export async function verifyChain(
  store: DatabaseAuditStore,
  seal: AuditSeal | undefined,
  known: readonly KnownAnchor[] = [],
): Promise<Verification> {
  const anchors = await store.anchors()
  const forged = seal && anchors.find((anchor) => !seal.holds(anchor))
  if (forged) {
    const message = `The anchor at event ${forged.eventId} was not signed with a known master key.`
    return { ok: false, event: forged.eventId, problem: 'forged-anchor', message }
  }
  const start = startOf(anchors)
  const expected = expectations(anchors, known)
  let previous = start
  let events = 0
  for (;;) {
    const rows = await store.after(previous.id, BATCH)
    // After a cut nothing may be left of what was before it.
    const [first] = events === 0 ? await store.after(0, 1) : []
    if (first && first.id <= start.id) return deletedOrLeft(first.id, start.id)
    for (const row of rows) {
      const problem = judge(row, previous, expected.get(row.id))
      if (problem) return problem
      previous = row
      events++
    }
    if (rows.length < BATCH) break
  }
  const highest = Math.max(await store.highest(), ...expected.keys(), 0)
  if (highest > previous.id) return tailCut(previous.id + 1, highest)
  const compared = [...expected.keys()].filter((id) => id > start.id).length
  return {
    ok: true,
    events,
    first: events === 0 ? 0 : start.id + 1,
    last: events === 0 ? 0 : previous.id,
    anchors: compared,
  }
}

function startOf(anchors: readonly StoredAnchor[]): { id: number; hash: string } {
  const cut = anchors.filter(({ kind }) => kind === 'cut').at(-1)
  return cut ? { id: cut.eventId, hash: cut.hash } : { id: 0, hash: GENESIS }
}

/** The hashes that somebody has signed or kept, by event. */
function expectations(anchors: readonly StoredAnchor[], known: readonly KnownAnchor[]): Map<number, Set<string>> {
  const expected = new Map<number, Set<string>>()
  const all = [...anchors.map(({ eventId, hash }) => ({ event: eventId, hash })), ...known]
  for (const { event, hash } of all) expected.set(event, (expected.get(event) ?? new Set()).add(hash))
  return expected
}

function judge(
  row: StoredEvent,
  previous: { id: number; hash: string },
  anchored: ReadonlySet<string> | undefined,
): Verification | undefined {
  const { id } = row
  if (id !== previous.id + 1) {
    const missing = previous.id + 1 === id - 1 ? `Event ${id - 1} is` : `Events ${previous.id + 1} to ${id - 1} are`
    return { ok: false, event: previous.id + 1, problem: 'deleted', message: `${missing} missing.` }
  }
  const hash = hashOf(row)
  if (row.prevHash !== previous.hash) {
    const problem = hash === row.hash ? 'reordered' : 'edited'
    const message = `Event ${id} does not follow event ${previous.id}: one of them was changed, or they were put in another order.`
    return { ok: false, event: id, problem, message }
  }
  if (hash !== row.hash) {
    return { ok: false, event: id, problem: 'edited', message: `Event ${id} is not what was recorded.` }
  }
  if (anchored && [...anchored].some((known) => known !== hash)) {
    const message = `Event ${id} is not the one that was anchored: the chain was made anew up to here.`
    return { ok: false, event: id, problem: 'not-anchored', message }
  }
  return undefined
}

/** A date that cannot be read was not written by the gateway. */
function hashOf(row: StoredEvent): string | undefined {
  return Number.isNaN(row.at.getTime()) ? undefined : eventHash(row.prevHash, row.id, row)
}

function deletedOrLeft(event: number, cut: number): Verification {
  const message = `Event ${event} lies before event ${cut}, up to which the retention removed everything.`
  return { ok: false, event, problem: 'reordered', message }
}

function tailCut(from: number, to: number): Verification {
  const message =
    from === to ? `Event ${from}, the last one, is missing.` : `Events ${from} to ${to}, the last ones, are missing.`
  return { ok: false, event: from, problem: 'tail-cut', message }
}
