import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect } from 'chai'
import fc from 'fast-check'
import type { AuthenticatedUser } from '../../../src/auth/authenticate.js'
import { SCOPES } from '../../../src/auth/scope.js'
import { describeApi } from '../../../src/web/api/openapi.js'
import { OPERATIONS } from '../../../src/web/api/operations.js'
import { actor } from '../../support/services.js'
import { ApiFixture, type Reply } from './api-fixture.js'
import { broken, valid, type Schema } from './schema-arbitrary.js'

interface Content {
  readonly schema: Schema
  readonly example?: unknown
}
interface ResponseDescription {
  readonly $ref?: string
  readonly content?: Readonly<Record<string, Content>>
}
interface Description {
  readonly operationId: string
  readonly summary: string
  readonly parameters: readonly { name: string; in: string; required: boolean; schema: Schema }[]
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Content>> }
  readonly responses: Readonly<Record<string, ResponseDescription>>
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Description>>>>
  readonly components: { readonly responses: Readonly<Record<string, ResponseDescription>> }
}

const document = JSON.parse(JSON.stringify(describeApi(OPERATIONS))) as Document
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, description]) => ({ path, method: method.toUpperCase(), description })),
)

describe('the description of the API', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    const result = await validator.validate(structuredClone(document) as unknown as Record<string, unknown>)
    expect(result.errors ?? []).to.deep.equal([])
    expect(validator.version).to.equal('3.1')
  })

  it('describes every operation once, and knows its name, its scope and its errors', () => {
    const ids = described.map(({ description }) => description.operationId)
    expect(new Set(ids).size).to.equal(ids.length)
    expect(ids).to.include.members(OPERATIONS.map(({ id }) => id))
    for (const { description } of described) {
      expect(description.summary).to.match(/^[A-Z]\S+ /)
      expect(Object.keys(description.responses), description.operationId).to.include('500')
    }
  })

  it('has no field in any answer whose name is that of a hash or a stored secret', () => {
    const answers = described.flatMap(({ description }) => Object.values(description.responses))
    const names = namesIn([document.components, answers])
    expect(names).to.include('hasAdminPassword')
    const secrets = /hash|authVersion|secretVersion|^(user|admin)?Pass(word|phrase)?$|privateKey|totp/i
    expect([...names].filter((name) => secrets.test(name))).to.deep.equal([])
  })
})

function namesIn(value: unknown, names = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return names
  for (const [key, part] of Object.entries(value)) {
    if (key === 'properties') for (const name of Object.keys(part as object)) names.add(name)
    namesIn(part, names)
  }
  return names
}

describe('every operation of the API', () => {
  let api: ApiFixture
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema({ $id: 'api', ...document })

  for (const { path, method, description } of described) {
    describe(description.operationId, () => {
      before(async () => {
        api = await ApiFixture.start()
        const user: AuthenticatedUser = {
          userId: api.adminId,
          username: 'root',
          admin: true,
          authVersion: 1,
          via: 'session',
          scopes: new Set(SCOPES),
        }
        // Stays who it is, whatever the requests do to the users.
        api.tokens.set('abc', user)
        if (path.includes('/shares')) await seedShare(api)
      })
      after(() => api.stop())

      const pointer = `api#/paths/${encodeURIComponent(path.replaceAll('~', '~0').replaceAll('/', '~1'))}/${method.toLowerCase()}`
      const body = Object.entries(description.requestBody?.content ?? {})[0]

      /** @throws AssertionError when the answer is not one that the description allows */
      const judge = (reply: Reply): void => {
        const response = description.responses[reply.status]
        if (!response)
          throw new Error(`${description.operationId} answers ${reply.status}: ${reply.text.slice(0, 500)}`)
        const isDeclared = Object.keys(response.$ref ? {} : description.responses).includes(String(reply.status))
        if (reply.status >= 500) {
          const declared = OPERATIONS.find(({ id }) => description.operationId.startsWith(id))?.errors ?? []
          expect(declared, reply.text + api.log.join('')).to.include(reply.status)
        }
        expect(reply.headers.get('cache-control') ?? '').to.equal('no-store')
        const content = (isDeclared ? response : document.components.responses[`Error${reply.status}`])?.content
        if (!content) {
          expect(reply.text).to.equal('')
          return
        }
        const [type = ''] = (reply.headers.get('content-type') ?? '').split(';')
        expect(Object.keys(content)).to.include(type)
        if (!type.includes('json')) return
        const at = isDeclared
          ? `${pointer}/responses/${reply.status}`
          : `api#/components/responses/Error${reply.status}`
        const ref = `${at}/content/${encodeURIComponent(type.replaceAll('/', '~1'))}/schema`
        const validate = ajv.compile({ $ref: ref })
        validate(reply.json)
        expect(validate.errors ?? [], JSON.stringify(reply.json).slice(0, 2000)).to.deep.equal([])
      }

      const request = async (parts: { path: unknown; query: unknown; body: unknown; raw?: string }) => {
        const params = parts.path as Record<string, unknown>
        const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(wellFormed(params[name])))
        const query = new URLSearchParams(
          Object.entries(parts.query as object).map(([name, value]) => [name, wellFormed(value)] as [string, string]),
        )
        const search = query.size > 0 ? `?${query.toString()}` : ''
        const sent = body && parts.body !== undefined && { body: contentOf(body[0], parts.body), type: body[0] }
        const headers = { Authorization: 'Bearer abc' }
        return api.send(method, filled + search, { as: 'nobody', headers, ...sent })
      }

      const parts = (kind: typeof valid) => {
        const from = (place: string) =>
          fc.record(
            Object.fromEntries(
              description.parameters
                .filter((field) => field.in === place)
                .map(({ name, schema }) => [name, kind(schema)]),
            ),
            { requiredKeys: place === 'path' ? undefined : [] } as fc.RecordConstraints<string>,
          )
        const content = body ? kind(body[1].schema, body[1].example) : fc.constant(undefined)
        return fc.record({ path: from('path'), query: from('query'), body: content })
      }

      it('does what it says with the example', async () => {
        const own = path.includes('/servers') ? api.serverId : path.includes('/users') ? api.userId : api.permissionId
        const ids = { id: own, serverId: api.serverId, appPasswordId: 1, tokenId: 1, key: 'none', jobId: 'none' }
        const query = path === '/api/v1/files/entry' ? { path: '/s2/a.txt' } : {}
        const reply = await request({ path: ids, query, body: body?.[1].example })
        judge(reply)
        const expected = REFUSED_EXAMPLES[description.operationId]
        if (expected === undefined) expect(reply.status, reply.text).to.be.within(200, 299)
        else expect(reply.status, reply.text).to.equal(expected)
      })

      it('answers as described, to what is right and to what is not', async () => {
        const rounds = { numRuns: 15, interruptAfterTimeLimit: 8000 }
        await fc.assert(
          fc.asyncProperty(parts(valid), async (input) => judge(await request(input))),
          rounds,
        )
        await fc.assert(
          fc.asyncProperty(parts(broken), async (input) => judge(await request(input))),
          rounds,
        )
      }).timeout(60_000)
    })
  }
})

/** What an example alone cannot do: there is no right code, nothing to revoke, or nobody to ask. */
const REFUSED_EXAMPLES: Readonly<Record<string, number>> = {
  // No accounts are managed in the fixture, so there is no plan either: `sync.test.ts` has both.
  'sync.getProvisioner': 404,
  'sync.removeProvisioner': 404,
  'sync.getPlan': 404,
  'sync.apply': 404,
  'sync.abort': 404,
  'sync.adopt': 409,
  'sync.decideEnding': 404,
  'me.secondFactor.confirm': 409,
  'me.secondFactor.disable': 409,
  'me.secondFactor.renewRecoveryCodes': 409,
  'me.appPasswords.revoke': 404,
  'me.apiTokens.revoke': 404,
  'me.sessions.end': 404,
  'users.appPasswords.revoke': 404,
  'users.apiTokens.revoke': 404,
  'users.sessions.end': 404,
  'me.servers.setCredentials': 404,
  'jobs.get': 404,
  'jobs.cancel': 404,
  'activity.end': 404,
}

/** The caller shares something; its number is that of the first permission. */
async function seedShare({ services, adminId, serverId }: ApiFixture): Promise<void> {
  await services.permissions.grant({ userId: adminId, serverId }, actor)
  await services.shares.create(adminId, { path: '/s2/docs', recipient: 'anna' }, 'directory', actor)
}

/** Whatever it is, as a part of a URL. */
function wellFormed(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toWellFormed().slice(0, 500) || 'x'
}

function contentOf(type: string, value: unknown): string {
  if (type !== 'application/json') return typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value)
  return JSON.stringify(value) ?? ''
}
