import type { Lock } from '../../vfs/tree.js'
import { contains } from '../../vfs/virtual-path.js'
import { isVfsError } from '../../vfs/errors.js'
import { XML_TYPE, sendText } from '../answers.js'
import { checkIf, preconditionsOf, spelledPath } from '../conditions.js'
import { DavError, badRequest } from '../dav-error.js'
import { parseDepth } from '../depth.js'
import { errorElement } from '../error-answer.js'
import { singleHeaderOf, pathInTree, type Exchange } from '../exchange.js'
import { statusElement } from '../failures.js'
import { lockDiscovery, parseLockInfo, type LockInfo } from '../lock-xml.js'
import { parseTimeout } from '../timeout.js'
import { hrefOf } from '../tree-path.js'
import { verb } from '../verb.js'
import { readXmlBody } from '../xml-body.js'
import { XML_HEAD, escapeXml } from '../xml-writer.js'

/** RFC 4918 section 9.10: with a body a new lock, without one a refresh. */
export const lock = verb(async (exchange) => {
  const { request, dependencies } = exchange
  const depth = parseDepth(singleHeaderOf(request, 'depth')) ?? 'infinity'
  if (depth === '1') throw badRequest('BAD_DEPTH', 'Depth of a lock is 0 or infinity.')
  const seconds = parseTimeout(singleHeaderOf(request, 'timeout'), dependencies.limits.lockSeconds)
  const body = await readXmlBody(exchange)
  const path = pathInTree(exchange)
  if (body) await create(exchange, path, depth, seconds, parseLockInfo(body))
  else await refresh(exchange, await spelledPath(exchange, path), seconds)
})

async function create(
  exchange: Exchange,
  path: string,
  depth: '0' | 'infinity',
  seconds: number,
  info: LockInfo,
): Promise<void> {
  const { response, tree, call, trailingSlash } = exchange
  const lockTokens = await checkIf(exchange)
  const { check } = preconditionsOf(exchange)
  try {
    const result = await tree.lock(
      path,
      {
        ...info,
        depth,
        seconds,
        lockTokens,
        check: (current) => {
          check?.(current)
          if (!current && trailingSlash) throw new DavError(409, 'NO_SUCH_FOLDER', 'There is no such folder to lock.')
        },
      },
      call,
    )
    response.setHeader('Lock-Token', `<${result.lock.token}>`)
    sendLock(exchange, result.created ? 201 : 200, result.lock)
  } catch (error) {
    if (isVfsError(error, 'LOCK_CONFLICT') && depth === 'infinity') {
      const below = error.paths.filter((root) => root !== path && contains(path, root))
      if (below.length > 0 && below.length === error.paths.length) {
        sendConflicts(exchange, path, below, error)
        return
      }
    }
    throw error
  }
}

async function refresh(exchange: Exchange, path: string, seconds: number): Promise<void> {
  const { request, tree } = exchange
  if (singleHeaderOf(request, 'if') === undefined) {
    throw badRequest('BAD_LOCK', 'LOCK has a body for a new lock, or an If header with the token to refresh.')
  }
  const tokens = await checkIf(exchange)
  const token = (await tree.locks(path)).map((known) => known.token).find((known) => tokens.has(known))
  if (token === undefined) {
    throw new DavError(412, 'NO_SUCH_LOCK', 'No lock with this token covers the resource.', {
      condition: 'lock-token-matches-request-uri',
    })
  }
  sendLock(exchange, 200, await tree.refreshLock(path, token, seconds))
}

function sendLock({ response }: Exchange, status: number, granted: Lock): void {
  const discovery = `<D:lockdiscovery>${lockDiscovery([granted])}</D:lockdiscovery>`
  sendText(response, status, XML_TYPE, `${XML_HEAD}<D:prop xmlns:D="DAV:">${discovery}</D:prop>`)
}

/** RFC 4918 section 9.10.9: members that are locked already stop a lock on their folder. */
function sendConflicts(exchange: Exchange, path: string, roots: readonly string[], error: Error): void {
  const conflict = errorElement(error, 'LOCK_CONFLICT', error.message)
  const members = roots.map((root) => `<D:response>${href(root)}${statusElement(423)}${conflict}</D:response>`).join('')
  const self = `<D:response>${href(path)}${statusElement(424)}</D:response>`
  sendText(
    exchange.response,
    207,
    XML_TYPE,
    `${XML_HEAD}<D:multistatus xmlns:D="DAV:">${members}${self}</D:multistatus>`,
  )
}

function href(path: string): string {
  return `<D:href>${escapeXml(hrefOf(path, false))}</D:href>`
}
