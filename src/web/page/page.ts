import type { Request, Response } from 'express'
import { render } from '../render.js'
import { csrfToken } from './csrf.js'
import { takeFlashes } from './flash.js'
import { EMPTY_FORM } from './form.js'
import { icon } from './icon.js'
import { isCurrent, navigationFor } from './navigation.js'
import { knownVisitor } from './visitor.js'

export interface PageData {
  readonly title: string
  readonly [name: string]: unknown
}

/**
 * Answers with `views/<view>.ejs` inside the layout. Besides `data` a view sees `visitor`, `csrf` (for the hidden field of
 * forms), `icon(name)` and `form` (an empty one unless given).
 * @param status 422 for a form that was refused
 */
export async function page(
  request: Request,
  response: Response,
  view: string,
  data: PageData,
  status = 200,
): Promise<void> {
  const visitor = knownVisitor(request)
  const csrf = csrfToken(request)
  const shared = { visitor, csrf, icon, form: EMPTY_FORM, ...data }
  const body = await render(view, shared)
  const html = await render('layout', {
    ...shared,
    body,
    flashes: takeFlashes(request),
    navigation: visitor ? navigationFor(visitor) : [],
    isCurrent,
    path: request.path,
  })
  response.status(status).set('Cache-Control', 'no-store').type('html').send(html)
}
