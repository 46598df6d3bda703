import { Router } from 'express'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EXPORT_FORMATS, exportEvents } from '../../../audit/audit-export.js'
import type { WebDependencies } from '../../dependencies.js'
import { requireAdmin } from '../../page/visitor.js'
import { auditFilterOf, auditQueryOf } from './audit-query.js'

const TYPES = { csv: 'text/csv; charset=utf-8', json: 'application/json' } as const

/** `GET /audit.csv` and `/audit.json`: everything that fits the filter, read as fast as it is taken. */
export function exportAuditRoutes({ audit }: Pick<WebDependencies, 'audit'>): Router {
  const router = Router()
  for (const format of EXPORT_FORMATS) {
    router.get(`/audit.${format}`, requireAdmin, async (request, response) => {
      const events = audit.entries(auditFilterOf(auditQueryOf(request)))
      response.attachment(`audit.${format}`).set('Cache-Control', 'no-store').type(TYPES[format])
      try {
        await pipeline(Readable.from(exportEvents(events, format)), response)
      } catch (error) {
        // Who goes away before the end is no error.
        if (!request.destroyed && !response.destroyed) throw error
      }
    })
  }
  return router
}
