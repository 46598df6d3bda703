import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { PASSWORD, USER } from '../../support/drive.js'

/** A client that does as the test says: a connected socket to which the head of a request was written. */
export async function rawRequest(url: string, method: string, headers: readonly string[] = []): Promise<Socket> {
  const { hostname, port, pathname, host } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const login = Buffer.from(`${USER}:${PASSWORD}`).toString('base64')
  const head = [
    `${method} ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Basic ${login}`,
    'Connection: close',
    ...headers,
  ]
  socket.write(head.join('\r\n') + '\r\n\r\n')
  return socket
}

/** Resolves when the other side has ended or reset the connection. @returns what came until then */
export async function closed(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  if (!socket.closed) await once(socket, 'close')
  return text
}
