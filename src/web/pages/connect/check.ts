import { Router } from 'express'
import type { SeenAttempt } from '../../../auth/drive-attempts.js'
import type { WebDependencies } from '../../dependencies.js'
import { ownOrigin } from '../../page/origin.js'
import { requireVisitor, visitorOf } from '../../page/visitor.js'
import { deviceOf } from '../account/device.js'

/** What the page says of the last attempt. */
export interface CheckResult {
  readonly kind: 'waiting' | 'connected' | 'problem'
  readonly text: string
}

type Dependencies = Pick<WebDependencies, 'driveAttempts' | 'config'>

/** For the script of the page: whether this device has connected, and if not, what went wrong. */
export function connectCheckRoutes({ driveAttempts, config }: Dependencies): Router {
  const router = Router()
  const originOf = ownOrigin(config.publicUrl)
  router.get('/connect/check', requireVisitor, (request, response) => {
    const from = Number(request.query['from']) || 0
    const attempts = driveAttempts.of(visitorOf(request).username, request.ip ?? '', from)
    const secure = originOf(request).startsWith('https:')
    response.set('Cache-Control', 'no-store').json(judge(attempts, secure))
  })
  return router
}

/** @param attempts the last one first */
export function judge(attempts: readonly SeenAttempt[], secure: boolean): CheckResult {
  // Many programs ask without a password first; it tells something only when nothing follows.
  const last = attempts.find(({ outcome }) => outcome !== 'missing') ?? attempts[0]
  if (last === undefined) return { kind: 'waiting', text: 'Waiting for this device to connect …' }
  const program = deviceOf(last.userAgent)
  switch (last.outcome) {
    case 'connected':
      return last.via === 'password'
        ? problem(`${program} has connected, with your login password. Better use an app password: you can revoke it.`)
        : { kind: 'connected', text: `${program} has connected.` }
    case 'listing-too-long':
      return problem(
        `${program} got a folder with a list of more than 1 MB, and shows it as empty or broken unless its limit is raised: use the .reg file.`,
      )
    case 'rejected':
      return problem(
        `${program} sent a wrong password or username. Use an app password from this page, and ${last.username ?? 'your username'} exactly as shown.`,
      )
    case 'second-factor':
      return problem(
        `${program} sent your login password. You have a second factor, so a drive needs an app password: make one here.`,
      )
    case 'password-change':
      return problem(`${program} sent a password that must be changed first: make an app password here instead.`)
    case 'throttled':
      return problem(
        `${program} sent too many wrong passwords and is refused for some minutes. Remove the stored password, then wait.`,
      )
    case 'busy':
      return problem(`${program} came while too many others logged in. It may try again.`)
    case 'malformed':
      return problem(`${program} sent a login that cannot be read.`)
    case 'missing':
      return !secure && last.userAgent.startsWith('Microsoft-WebDAV-MiniRedir/')
        ? problem('Windows found the gateway, and sends no password over plain http: use https, or the .reg file.')
        : { kind: 'waiting', text: `${program} has found the gateway and has not sent a password yet …` }
  }
}

function problem(text: string): CheckResult {
  return { kind: 'problem', text }
}
