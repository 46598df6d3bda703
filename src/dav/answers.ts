import type { ServerResponse } from 'node:http'

export const XML_TYPE = 'application/xml; charset=utf-8'

/** An answer without a body. */
export function sendEmpty(response: ServerResponse, status: number): void {
  response.statusCode = status
  // RFC 9110 section 8.6: no Content-Length with 204.
  if (status !== 204) response.setHeader('Content-Length', 0)
  response.end()
}

export function sendText(response: ServerResponse, status: number, type: string, text: string): void {
  response.statusCode = status
  response.setHeader('Content-Type', type)
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Content-Length', Buffer.byteLength(text))
  response.end(text)
}
