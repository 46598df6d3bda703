import type { NextFunction, Request, Response } from 'express'
import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import { ValidationError, type Problem } from '../../errors.js'
import { HttpError } from '../../http/errors.js'
import type { WebDependencies } from '../dependencies.js'
import { beginErrorAnswer } from '../error-pages.js'

export interface FieldProblem extends Problem {
  readonly in?: 'path' | 'query' | 'body'
}

/** Everything that is wrong with a request at once. */
export class InvalidRequestError extends HttpError {
  constructor(readonly problems: readonly FieldProblem[]) {
    super(400, 'VALIDATION', problems.map(({ field, message }) => `${field}: ${message}`).join('; '))
  }
}

/** The body of every error: problem details (RFC 9457). */
export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().describe('The name of the status.'),
    status: z.int(),
    detail: z.string().describe('What went wrong, for people.'),
    code: z.string().describe('What went wrong, for programs: stable.'),
    requestId: z.string().describe('As in the X-Request-Id header and in the log.'),
    problems: z
      .array(
        z.object({
          in: z.enum(['path', 'query', 'body']).optional(),
          field: z.string(),
          message: z.string(),
        }),
      )
      .optional()
      .describe('Everything that is wrong with the input, each with its field.'),
  })
  .meta({ id: 'Problem' })

/** The last handler of the API: every error is `application/problem+json`, whatever the client accepts. */
export function problemHandler(log: WebDependencies['log']) {
  return (thrown: unknown, request: Request, response: Response, _next: NextFunction): void => {
    const failure = beginErrorAnswer(thrown, request, response, log)
    if (!failure) return
    const { error, answer, requestId } = failure
    response.type('application/problem+json')
    response.end(
      JSON.stringify({
        type: 'about:blank',
        title: STATUS_CODES[answer.status] ?? 'Error',
        status: answer.status,
        detail: answer.message,
        code: answer.code,
        requestId,
        ...problemsOf(error),
      } satisfies z.input<typeof problemSchema>),
    )
  }
}

function problemsOf(error: unknown): { problems?: FieldProblem[] } {
  const known = error instanceof ValidationError || error instanceof InvalidRequestError
  return known ? { problems: [...error.problems] } : {}
}
