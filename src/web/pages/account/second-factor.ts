import { Router, type Request, type Response } from 'express'
import QRCode from 'qrcode'
import type { WebDependencies } from '../../dependencies.js'
import { actorOf } from '../../page/actor.js'
import { flash } from '../../page/flash.js'
import { EMPTY_FORM, submit, textsOf, type FormState } from '../../page/form.js'
import { page } from '../../page/page.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'
import { confirmPassword } from './confirm-password.js'
import { renewSession } from './renew-session.js'

type Dependencies = Pick<WebDependencies, 'authenticator' | 'secondFactor' | 'sessions'>

const AT = '/account/second-factor'

/** The second factor of the visitor: on, off, new recovery codes. Each needs the password, and a code once it is on. */
export function ownSecondFactorRoutes({ authenticator, secondFactor, sessions }: Dependencies): Router {
  const router = Router()
  router.use(AT, requireVisitor)

  const overview = async (request: Request, response: Response, form: FormState = EMPTY_FORM, status = 200) => {
    const { userId } = visitorOf(request)
    const active = await secondFactor.isActive(userId)
    const left = await secondFactor.recoveryCodesLeft(userId)
    await page(request, response, 'account/second-factor', { title: 'Second factor', active, left, form }, status)
  }
  const showCodes = (request: Request, response: Response, codes: readonly string[]) =>
    page(request, response, 'account/recovery-codes', { title: 'Recovery codes', codes })

  router.get(AT, (request, response) => overview(request, response))

  router.post(`${AT}/begin`, async (request, response) => {
    const { currentPassword = '' } = textsOf(request.body)
    const result = await submit(request.body, async () => {
      await confirmPassword(authenticator, request, currentPassword, 'currentPassword')
      return secondFactor.begin(visitorOf(request).userId, actorOf(request))
    })
    if (!result.done) {
      await overview(request, response, result.form, 422)
      return
    }
    const { secret, uri } = result.value
    const qr = await QRCode.toString(uri, { type: 'svg', margin: 2 })
    const data = { title: 'Second factor', qr, secret: (secret.match(/.{1,4}/g) ?? []).join(' ') }
    await page(request, response, 'account/confirm-second-factor', data)
  })

  router.post(`${AT}/confirm`, async (request, response) => {
    const { code = '' } = textsOf(request.body)
    const result = await submit(request.body, () =>
      secondFactor.confirm(visitorOf(request).userId, code, actorOf(request)),
    )
    if (!result.done) {
      const data = { title: 'Second factor', form: result.form, qr: undefined, secret: undefined }
      await page(request, response, 'account/confirm-second-factor', data, 422)
      return
    }
    await renewSession(request, sessions, result.value.authVersion)
    await showCodes(request, response, result.value.recoveryCodes)
  })

  router.post(`${AT}/recovery-codes`, async (request, response) => {
    const { currentPassword = '', code = '' } = textsOf(request.body)
    const result = await submit(request.body, async () => {
      await confirmPassword(authenticator, request, currentPassword, 'currentPassword')
      return secondFactor.newRecoveryCodes(visitorOf(request).userId, code, actorOf(request))
    })
    if (result.done) await showCodes(request, response, result.value)
    else await overview(request, response, result.form, 422)
  })

  router.post(`${AT}/disable`, async (request, response) => {
    const { currentPassword = '', code = '' } = textsOf(request.body)
    const result = await submit(request.body, async () => {
      await confirmPassword(authenticator, request, currentPassword, 'currentPassword')
      return secondFactor.disable(visitorOf(request).userId, code, actorOf(request))
    })
    if (!result.done) {
      await overview(request, response, result.form, 422)
      return
    }
    await renewSession(request, sessions, result.value.authVersion)
    flash(request, { kind: 'success', text: 'The second factor is off.' })
    response.redirect(303, '/account')
  })

  return router
}
