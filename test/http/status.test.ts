import { expect } from 'chai'
import { ConflictError, UnknownObjectError, ValidationError } from '../../src/errors.js'
import { HttpError } from '../../src/http/errors.js'
import { answerFor, answerForClient } from '../../src/http/status.js'
import { StorageError, type StorageErrorCode } from '../../src/storage/errors.js'
import { VfsError, type VfsErrorCode } from '../../src/vfs/errors.js'

describe('answerFor', () => {
  const storage: Record<StorageErrorCode, number> = {
    NOT_FOUND: 404,
    ALREADY_EXISTS: 409,
    NOT_A_DIRECTORY: 409,
    IS_A_DIRECTORY: 405,
    NOT_EMPTY: 409,
    DENIED: 403,
    NO_SPACE: 507,
    INVALID_NAME: 400,
    UNSUPPORTED: 501,
    LOGIN_REJECTED: 403,
    UNTRUSTED: 502,
    UNREACHABLE: 502,
    TIMED_OUT: 504,
    BUSY: 503,
    UNAVAILABLE: 503,
    CONNECTION_LOST: 502,
    PROTOCOL: 502,
    TOO_LARGE: 507,
    OVERLOADED: 503,
    ABORTED: 499,
  }
  for (const [code, status] of Object.entries(storage)) {
    it(`answers ${code} of a server with ${status} and says nothing of the server`, () => {
      const answer = answerFor(new StorageError(code as StorageErrorCode, 'ftp.internal.example:21 refused /home/x'))
      expect(answer.status).to.equal(status)
      expect(answer.message).not.to.match(/internal|home/)
    })
  }

  const vfs: Partial<Record<VfsErrorCode, number>> = {
    BAD_PATH: 400,
    NO_SUCH_PATH: 404,
    PARENT_MISSING: 409,
    MOUNT_IS_FIXED: 403,
    READ_ONLY: 403,
    TARGET_EXISTS: 412,
    OVERLAP: 403,
    LOCKED: 423,
    LOCK_CONFLICT: 423,
    NO_SUCH_LOCK: 409,
    PRECONDITION_FAILED: 412,
    SHORT_BODY: 400,
    TOO_LARGE: 507,
    REVOKED: 403,
    ENDED: 403,
  }
  for (const [code, status] of Object.entries(vfs)) {
    it(`answers ${code} of the tree with ${status}`, () => {
      expect(answerFor(new VfsError(code as VfsErrorCode, 'why')).status).to.equal(status)
    })
  }

  it('never answers 401 for a login that a server refused: the client would drop its own password', () => {
    expect(answerFor(new StorageError('LOGIN_REJECTED', 'x'))).to.include({ status: 403, code: 'REMOTE_CREDENTIALS' })
  })

  for (const [seconds, expected] of [
    [undefined, 2],
    [0.2, 1],
    [12.3, 13],
    [600, 60],
  ]) {
    it(`turns a pause of ${seconds} s into Retry-After: ${expected}`, () => {
      const error = new StorageError('UNAVAILABLE', 'x', seconds === undefined ? {} : { retryAfterSeconds: seconds })
      expect(answerFor(error).retryAfterSeconds).to.equal(expected)
    })
  }

  it('answers what services throw', () => {
    expect(answerFor(new ValidationError([{ field: 'alias', message: 'is taken' }]))).to.include({
      status: 400,
      message: 'alias: is taken',
    })
    expect(answerFor(new UnknownObjectError('no such user')).status).to.equal(404)
    expect(answerFor(new ConflictError('name taken')).status).to.equal(409)
    expect(answerFor(new HttpError(415, 'X', 'y', { headers: { Accept: 'z' } }))).to.deep.include({
      status: 415,
      headers: { Accept: 'z' },
    })
  })

  it('answers 503 when the process has no file descriptor left', () => {
    expect(answerFor(Object.assign(new Error('accept'), { code: 'EMFILE' })).status).to.equal(503)
  })

  for (const unknown of [new Error('SELECT * FROM users'), 'secret', undefined, null, { status: 200 }]) {
    it(`answers 500 without detail for ${JSON.stringify(unknown) ?? 'nothing'}`, () => {
      const answer = answerFor(unknown)
      expect(answer.status).to.equal(500)
      expect(answer.message).not.to.match(/SELECT|secret/)
    })
  }
})

describe('answerForClient', () => {
  const finder = 'WebDAVFS/3.0.0 (03008000) Darwin/24.4.0 (arm64)'

  it('gives macOS 423 where it would take a 5xx for "the file is gone"', () => {
    for (const code of ['UNREACHABLE', 'TIMED_OUT', 'UNAVAILABLE'] as const) {
      expect(answerForClient(answerFor(new StorageError(code, 'x')), finder).status).to.equal(423)
    }
  })

  it('leaves 507, 4xx and other clients alone', () => {
    expect(answerForClient(answerFor(new StorageError('NO_SPACE', 'x')), finder).status).to.equal(507)
    expect(answerForClient(answerFor(new StorageError('NOT_FOUND', 'x')), finder).status).to.equal(404)
    expect(answerForClient(answerFor(new StorageError('TIMED_OUT', 'x')), 'rclone/v1.60').status).to.equal(504)
    expect(answerForClient(answerFor(new StorageError('TIMED_OUT', 'x')), undefined).status).to.equal(504)
  })
})
