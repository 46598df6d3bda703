import { expect } from 'chai'
import { FileEvents, type Listings } from '../../src/audit/file-events.js'
import type { UnchainedEvent } from '../../src/db/stores/audit-store.js'
import type { OperationKind, OperationResult, TreeOperation } from '../../src/vfs/observer.js'
import { CLIENT, operationMount, treeOperation } from '../support/tree-operation.js'

const OK: OperationResult = { outcome: 'ok', duration: 12 }

describe('FileEvents', () => {
  let added: UnchainedEvent[]
  let now: number

  beforeEach(() => {
    added = []
    now = 1_700_000_000_000
  })

  const eventsOf = (listings: Listings = 'coarse') =>
    new FileEvents({ add: (event) => void added.push(event), listings, now: () => now })

  it('says who, remote login, server, path, bytes, outcome, client, request and duration', () => {
    eventsOf().ended(treeOperation({ bytes: 42 }), { outcome: 'failed', code: 'CONNECTION_LOST', duration: 1500 })
    const [event] = added
    expect(event).to.deep.include({
      at: new Date(now),
      type: 'file.read',
      outcome: 'failed',
      actorKind: 'user',
      actorId: 1,
      actorName: 'anna',
      address: '192.0.2.1',
      objectId: 11,
      objectName: 's2',
      requestId: 'r1',
    })
    expect(JSON.parse(event?.details ?? '')).to.deep.equal({
      path: '/s2/a.txt',
      remoteUser: 'remote',
      bytes: 42,
      code: 'CONNECTION_LOST',
      duration: 1500,
      via: 'password',
      userAgent: 'rclone/1',
    })
  })

  it('names the app password that was used, and both ends of a copy across servers', () => {
    const targetMount = { ...operationMount('s3', 2), remoteUser: 'other' }
    const client = { ...CLIENT, via: 'app-password' as const, credential: 'laptop' }
    eventsOf().ended(treeOperation({ kind: 'copy', target: '/s3/b', targetMount, client }), OK)
    expect(added[0]).to.include({ type: 'file.copied', actorKind: 'token', actorName: 'anna (laptop)', actorId: 1 })
    expect(JSON.parse(added[0]?.details ?? '')).to.include({ target: '/s3/b', targetRemoteUser: 'other' })
  })

  it('names the share by which somebody read what is another one’s', () => {
    const client = { ...CLIENT, share: { id: 7, owner: 'bob' } }
    eventsOf().ended(treeOperation({ client }), OK)
    expect(added[0]).to.include({ actorName: 'anna', objectName: 's2' })
    expect(JSON.parse(added[0]?.details ?? '')).to.deep.include({ share: { id: 7, owner: 'bob' } })
  })

  it('keeps what a client calls itself short', () => {
    eventsOf().ended(treeOperation({ client: { ...CLIENT, userAgent: 'x'.repeat(8000) } }), OK)
    expect(added[0]?.details).to.have.length.below(500)
  })

  const kinds: OperationKind[] = [
    'read',
    'write',
    'make-directory',
    'remove',
    'copy',
    'move',
    'set-modified',
    'change-properties',
    'lock',
    'refresh-lock',
    'unlock',
  ]
  for (const kind of kinds) {
    it(`records every ${kind}, whatever is said of listings`, () => {
      const events = eventsOf('off')
      for (const outcome of ['ok', 'ok', 'refused', 'failed'] as const) {
        events.ended(treeOperation({ kind }), { outcome, duration: 1 })
      }
      expect(added.map(({ outcome }) => outcome)).to.deep.equal(['ok', 'ok', 'refused', 'failed'])
      expect(added[0]?.type).to.match(/^file\.[a-z-]+$/)
    })
  }

  describe('of looks', () => {
    type Look = [changes: Partial<TreeOperation>, result?: Partial<OperationResult>]
    const looks: [what: string, looks: Look[], recorded: Record<Listings, number>][] = [
      [
        'the same folder again',
        [[{ kind: 'list', path: '/s2' }], [{ kind: 'list', path: '/s2' }]],
        { off: 0, coarse: 1, all: 2 },
      ],
      [
        'two files of one folder',
        [[{ kind: 'stat', path: '/s2/a' }], [{ kind: 'stat', path: '/s2/b' }]],
        { off: 0, coarse: 1, all: 2 },
      ],
      [
        'two folders',
        [[{ kind: 'list', path: '/s2' }], [{ kind: 'list', path: '/s2/d' }]],
        { off: 0, coarse: 2, all: 2 },
      ],
      [
        'two users',
        [[{ kind: 'list' }], [{ kind: 'list', userId: 2, username: 'bert' }]],
        { off: 0, coarse: 2, all: 2 },
      ],
      [
        'what is there and what is not',
        [
          [{ kind: 'stat', path: '/s2/a' }],
          [
            { kind: 'stat', path: '/s2/b' },
            { outcome: 'failed', code: 'NOT_FOUND' },
          ],
        ],
        { off: 0, coarse: 2, all: 2 },
      ],
      [
        'what the server refuses',
        [
          [{ kind: 'list' }, { outcome: 'refused', code: 'DENIED' }],
          [{ kind: 'list' }, { outcome: 'refused', code: 'DENIED' }],
        ],
        { off: 2, coarse: 2, all: 2 },
      ],
      [
        'a login that the server refuses',
        [
          [
            { kind: 'list', path: '/s2' },
            { outcome: 'refused', code: 'LOGIN_REJECTED' },
          ],
          [
            { kind: 'stat', path: '/s2/d/e' },
            { outcome: 'refused', code: 'LOGIN_REJECTED' },
          ],
        ],
        { off: 0, coarse: 1, all: 2 },
      ],
    ]
    for (const [what, sequence, recorded] of looks) {
      for (const listings of ['off', 'coarse', 'all'] as const) {
        it(`records ${recorded[listings]} of ${what} when listings are ${listings}`, () => {
          const events = eventsOf(listings)
          for (const [changes, result] of sequence) events.ended(treeOperation(changes), { ...OK, ...result })
          expect(added).to.have.length(recorded[listings])
        })
      }
    }

    it('records a folder again after five minutes', () => {
      const events = eventsOf()
      for (let index = 0; index < 3; index++) {
        events.ended(treeOperation({ kind: 'list' }), OK)
        now += 150_001
      }
      expect(added).to.have.length(2)
    })
  })
})
