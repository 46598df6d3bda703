import type { Request } from 'express'
import { OUTCOMES } from '../../../audit/audit-event.js'
import type { AuditFilter } from '../../../audit/audit-search.js'
import { queryChoice, queryText } from '../../page/request-values.js'

/** Beginnings of types of events, with what a page calls them. */
export const GROUPS = [
  ['login.', 'Logins'],
  ['file.', 'Files'],
  ['user.', 'Users'],
  ['server.', 'Servers'],
  ['permission.', 'Permissions'],
  ['app-password.', 'App passwords'],
  ['api-token.', 'API tokens'],
] as const

/** The filter as the address of the page says it. */
export interface AuditQuery {
  readonly text: string | undefined
  readonly actor: string | undefined
  readonly type: string | undefined
  readonly outcome: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
}

/** What does not make sense counts as not said. */
export function auditQueryOf(request: Request): AuditQuery {
  return {
    text: queryText(request, 'text'),
    actor: queryText(request, 'actor'),
    type: queryText(request, 'type'),
    outcome: queryChoice(request, 'outcome', OUTCOMES),
    from: dayIn(request, 'from'),
    to: dayIn(request, 'to'),
  }
}

export function auditFilterOf({ text, actor, type, outcome, from, to }: AuditQuery): AuditFilter {
  return {
    ...{ text, actor, type },
    outcome: OUTCOMES.find((known) => known === outcome),
    from: from === undefined ? undefined : new Date(`${from}T00:00:00Z`),
    // The last day counts whole.
    to: to === undefined ? undefined : new Date(Date.parse(`${to}T00:00:00Z`) + 24 * 3_600_000),
  }
}

/** `2027-01-31`. */
function dayIn(request: Request, name: string): string | undefined {
  const text = queryText(request, name)
  return text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined
}
