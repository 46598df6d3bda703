import { Router } from 'express'
import { z } from 'zod'
import { describeApi } from '../../api/openapi.js'
import { OPERATIONS } from '../../api/operations.js'
import { page } from '../../page/page.js'
import { readDocument, type DocumentedOperation } from './read-document.js'

const query = z.object({ text: z.string().trim().max(200).catch('') })

const TITLES: Readonly<Record<string, string>> = {
  session: 'Logging in',
  me: 'Own account',
  users: 'Users',
  servers: 'Servers',
  permissions: 'Permissions',
  review: 'Access review',
  audit: 'Audit log',
  activity: 'Activity',
  health: 'Health of servers',
  files: 'Files',
  jobs: 'Copies and moves',
  shares: 'Shares',
  openapi: 'This description',
}

/** `/api/docs`: the description of the API for people, from the same document that programs get. Open to everybody. */
export function apiDocsRoutes(): Router {
  const router = Router()
  let document: ReturnType<typeof readDocument> | undefined
  router.get('/api/docs', async (request, response) => {
    const { text } = query.parse(request.query)
    document ??= readDocument(describeApi(OPERATIONS))
    const operations = document.operations.filter((operation) => fits(operation, text))
    const groups = document.tags
      .map((tag) => ({
        tag,
        heading: TITLES[tag] ?? tag,
        operations: operations.filter((operation) => operation.tag === tag),
      }))
      .filter((group) => group.operations.length > 0)
    const { schemas, intro } = document
    await page(request, response, 'api/docs', {
      title: 'API',
      wide: true,
      styles: ['api-docs'],
      scripts: ['api-docs'],
      ...{ text, groups, schemas, intro, count: operations.length },
    })
  })
  return router
}

/** Whether all words stand somewhere in what is said about an operation. */
function fits({ searched }: DocumentedOperation, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return words.every((word) => searched.includes(word))
}
