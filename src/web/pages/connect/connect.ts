import { Router, type Request, type Response } from 'express'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { submit } from '../../page/form.js'
import { ownOrigin } from '../../page/origin.js'
import { page } from '../../page/page.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'
import { SYSTEM_NAMES, systemOf, type System } from '../account/device.js'
import { linksOf } from './links.js'

type Dependencies = Pick<WebDependencies, 'appPasswords' | 'config'>

const SYSTEMS = Object.entries(SYSTEM_NAMES).map(([id, name]) => ({ id: id as System, name }))

/** How to mount the drive, for the visitor's system first; one click makes an app password for it. */
export function connectRoutes({ appPasswords, config }: Dependencies): Router {
  const router = Router()
  const originOf = ownOrigin(config.publicUrl)

  const show = async (
    request: Request,
    response: Response,
    { secret, message }: { secret?: string; message?: string | undefined } = {},
    status = 200,
  ) => {
    const { username } = visitorOf(request)
    const system = systemFor(request)
    const links = linksOf(originOf(request), username)
    // Where a scripted check begins: what happened before is not about this attempt.
    const from = Date.now()
    const data = { systems: SYSTEMS, system, systemName: SYSTEM_NAMES[system], links, secret, message, from }
    await page(request, response, 'connect/connect', { title: 'Connect', ...data, scripts: ['connect'] }, status)
  }

  router.get('/connect', requireVisitor, (request, response) => show(request, response))

  router.post('/connect/app-password', requireVisitor, async (request, response) => {
    const { userId } = visitorOf(request)
    const name = `${SYSTEM_NAMES[systemFor(request)]}, ${new Date().toISOString().slice(0, 10)}`
    const result = await submit(request.body, () => appPasswords.create(userId, { name }, actorOf(request)))
    if (result.done) await show(request, response, { secret: result.value.secret }, 201)
    else await show(request, response, { message: result.form.message }, 422)
  })

  return router
}

function systemFor(request: Request): System {
  const wanted = SYSTEMS.find(({ id }) => id === request.query['system'])
  return wanted?.id ?? systemOf(request.get('User-Agent') ?? '') ?? 'windows'
}
