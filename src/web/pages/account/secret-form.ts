import type { Request } from 'express'
import { listOf, textsOf } from '../../page/form.js'

/** What the forms of app passwords and API tokens have in common; nothing chosen means all servers. */
export function secretOf(request: Request): { name: string; servers?: number[]; expiresAt?: string } {
  const { name = '', expiresAt = '' } = textsOf(request.body)
  const servers = listOf(request.body, 'servers').map(Number)
  return { name, ...(servers.length > 0 ? { servers } : {}), ...(expiresAt === '' ? {} : { expiresAt }) }
}
