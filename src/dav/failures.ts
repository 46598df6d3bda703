import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import { answerFor, answerForClient } from '../http/status.js'
import type { Failure } from '../vfs/node.js'
import { XML_TYPE, sendText } from './answers.js'
import { errorElement } from './error-answer.js'
import { hrefOf } from './tree-path.js'
import { XML_HEAD, escapeXml } from './xml-writer.js'

/**
 * 207 with every member that could not be handled and why, RFC 4918 sections 9.6.1, 9.8.8 and 9.9.4; members that were
 * handled, and folders that stayed only because of what is in them, are not listed.
 */
export function sendFailures(request: IncomingMessage, response: ServerResponse, failures: readonly Failure[]): void {
  let text = `${XML_HEAD}<D:multistatus xmlns:D="DAV:">`
  for (const { path, error } of failures) {
    const { status, code, message } = answerForClient(answerFor(error), request.headers['user-agent'])
    text += `<D:response><D:href>${escapeXml(hrefOf(path, false))}</D:href>${statusElement(status)}`
    text += `${errorElement(error, code, message)}</D:response>`
  }
  sendText(response, 207, XML_TYPE, text + '</D:multistatus>')
}

export function statusElement(status: number): string {
  return `<D:status>HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}</D:status>`
}
