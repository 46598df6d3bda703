import { Ajv } from 'ajv'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Connection, Login } from '../../src/storage/driver.js'
import { StorageError } from '../../src/storage/errors.js'
import { MemoryConnection } from '../../src/storage/memory/memory-connection.js'
import { MemoryServer } from '../../src/storage/memory/memory-driver.js'
import { parsePrivateKey } from '../../src/storage/sftp/sftp-login.js'
import { serve, type TestServer } from '../support/http-server.js'

/**
 * The fields of a user that a client may send, in our words: SFTPGo's own description (openapi.yaml of v2.7) is under the
 * AGPL and is therefore not part of this project. A field that is not here is refused, as is one of another type.
 */
const USER = {
  type: 'object',
  additionalProperties: false,
  required: ['username', 'home_dir', 'permissions'],
  properties: {
    id: { type: 'integer', minimum: 1 },
    status: { enum: [0, 1] },
    username: { type: 'string' },
    expiration_date: { type: 'integer' },
    password: { type: 'string', minLength: 1 },
    public_keys: { type: 'array', items: { type: 'string' } },
    has_password: { type: 'boolean' },
    home_dir: { type: 'string', pattern: '^/' },
    uid: { type: 'integer', minimum: 0, maximum: 2147483647 },
    gid: { type: 'integer', minimum: 0, maximum: 2147483647 },
    permissions: {
      type: 'object',
      minProperties: 1,
      additionalProperties: { type: 'array', minItems: 1, items: { type: 'string' } },
    },
    filters: { type: 'object' },
    filesystem: { type: 'object' },
    additional_info: { type: 'string' },
    created_at: { type: 'integer' },
  },
}

interface FakeUser {
  [field: string]: unknown
  username: string
  status: number
  home_dir: string
  password?: string | undefined
  public_keys?: string[]
}

export interface FakeSftpgo extends TestServer {
  readonly users: Map<string, FakeUser>
  /** Each request but for its body. */
  readonly requests: string[]
  /** Ends every token: the next request is answered 401. */
  expireTokens(): void
  readonly connect: (login: Login) => Promise<Connection>
}

export const ADMIN = { username: 'provisioner', password: 'admin-secret' }
export const API_KEY = 'key.secret'

/** SFTPGo's REST API as far as users go, with the answers that its description promises. */
export async function fakeSftpgo(): Promise<FakeSftpgo> {
  const isUser = new Ajv().compile(USER)
  const users = new Map<string, FakeUser>()
  const requests: string[] = []
  let issued = 0
  const valid = new Set<string>()

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake')
    const { method = '' } = request
    requests.push(`${method} ${url.pathname}${url.search}`)
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    const { authorization } = request.headers
    if (url.pathname === '/api/v2/token') {
      const basic = Buffer.from(`${ADMIN.username}:${ADMIN.password}`).toString('base64')
      if (authorization !== `Basic ${basic}`) return answer(401, { message: 'Unauthorized' })
      const token = `token-${++issued}`
      valid.add(token)
      return answer(200, { access_token: token, expires_at: '2026-01-01T00:00:00Z' })
    }
    const known =
      valid.has(authorization?.replace(/^Bearer /, '') ?? '') || request.headers['x-sftpgo-api-key'] === API_KEY
    if (!known) return answer(401, { message: 'Unauthorized' })
    const name = /^\/api\/v2\/users\/([^/]+)$/.exec(url.pathname)?.[1]
    if (name === undefined && url.pathname !== '/api/v2/users') return answer(404, { message: 'Not Found' })
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const user = name === undefined ? undefined : users.get(decodeURIComponent(name))
    if (name !== undefined && user === undefined) return answer(404, { message: 'Not Found' })
    if (method === 'GET' && name === undefined) {
      const [limit, offset] = ['limit', 'offset'].map((key) => Number(url.searchParams.get(key)))
      if (limit === undefined || limit < 1 || limit > 500) return answer(400, { message: 'invalid limit' })
      const sorted = [...users.values()].sort((a, b) => (a.username < b.username ? -1 : 1))
      return answer(200, sorted.slice(offset, (offset ?? 0) + limit).map(shown))
    }
    if (method === 'GET' && user) return answer(200, shown(user))
    if (method === 'DELETE' && user) {
      users.delete(user.username)
      return answer(200, { message: 'User deleted' })
    }
    const body: unknown = JSON.parse(text)
    if (!isUser(body)) return answer(400, { error: JSON.stringify(isUser.errors), message: `refused ${text}` })
    const sent = body as FakeUser
    if (method === 'POST' && users.has(sent.username)) return answer(409, { message: 'Conflict' })
    // As v2.7 does: without a password the present one stays.
    users.set(sent.username, { ...sent, id: users.size + 1, filters: {}, password: sent.password ?? user?.password })
    return method === 'POST' ? answer(201, shown(sent)) : answer(200, { message: 'User updated' })
  }

  const server = await serve(handle)
  return {
    ...server,
    users,
    requests,
    expireTokens: () => valid.clear(),
    connect: ({ username, password, privateKey }) => {
      const user = users.get(username)
      const key = privateKey === undefined ? undefined : parsePrivateKey(privateKey, undefined)
      const shownKey = key?.getPublicSSH().toString('base64')
      const byKey = shownKey !== undefined && (user?.public_keys ?? []).some((line) => line.includes(shownKey))
      const right = byKey || (password !== undefined && user?.password === password)
      if (user?.status !== 1 || !right) {
        return Promise.reject(new StorageError('LOGIN_REJECTED', 'The server refused the login.'))
      }
      return Promise.resolve(new MemoryConnection(new MemoryServer({ accounts: {} }), username))
    },
  }
}

/** Passwords are left out of every answer. */
function shown({ password, ...user }: FakeUser): unknown {
  return { ...user, has_password: password !== undefined }
}
