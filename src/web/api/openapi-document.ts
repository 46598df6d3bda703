import { z } from 'zod'
import { ok } from './answers.js'
import { operation } from './operation.js'

export const getOpenapi = operation({
  id: 'openapi.get',
  method: 'GET',
  path: '/openapi.json',
  summary: 'Get this description',
  scope: 'none',
  responses: {
    200: { description: 'An OpenAPI 3.1 document.', body: z.looseObject({ openapi: z.string() }) },
  },
  handle: ({ services }) => ok(services.description()),
})
