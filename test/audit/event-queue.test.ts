import { expect } from 'chai'
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sqlite3 from 'sqlite3'
import { EventQueue, type EventQueueOptions } from '../../src/audit/event-queue.js'
import { SpillFile } from '../../src/audit/spill-file.js'
import { openDatabase, type Database } from '../../src/db/database.js'
import type { UnchainedEvent } from '../../src/db/stores/audit-store.js'
import { createLogger } from '../../src/logger.js'
import { temporaryFolder } from '../support/services.js'

const log = createLogger({ level: 'silent' })

function event(name: string): UnchainedEvent {
  return {
    at: new Date(),
    type: 'file.read',
    outcome: 'ok',
    actorKind: 'user',
    actorId: 1,
    actorName: 'anna',
    address: '192.0.2.1',
    objectId: 1,
    objectName: name,
    requestId: 'r',
    details: '{}',
  }
}

describe('EventQueue', () => {
  let folder: string
  let file: string
  let remove: () => Promise<void>
  let database: Database
  let transactions: number

  beforeEach(async () => {
    ;({ folder, remove } = await temporaryFolder())
    file = join(folder, 'spill.jsonl')
    database = await openDatabase({ dataDir: folder, busyTimeoutMs: 10 })
    transactions = 0
  })
  afterEach(async () => {
    await database.close()
    await remove()
  })

  function queueOf(options: Partial<EventQueueOptions> = {}, bounds: { maxBytes?: number; maxWaiting?: number } = {}) {
    const store: EventQueueOptions['store'] = {
      append: (events, mark) => {
        transactions++
        return database.audit.append(events, mark)
      },
      mark: (name) => database.audit.mark(name),
    }
    const spill = new SpillFile({ file, ...bounds, onLost: (count, reason) => queue.lost(count, reason) })
    const queue: EventQueue = new EventQueue({ store, spill, log, writeAfter: 5, retryAfter: 5, ...options })
    return queue
  }

  const stored = async () => (await database.audit.after(0, 100_000)).map(({ objectName }) => objectName)
  const exists = () =>
    stat(file).then(
      () => true,
      () => false,
    )

  /** Holds the write lock of the database as another process would. */
  async function lockDatabase(): Promise<() => Promise<void>> {
    const other = new sqlite3.Database(database.file)
    const run = (sql: string) =>
      new Promise<void>((resolve, reject) => other.exec(sql, (error) => (error ? reject(error) : resolve())))
    await run('BEGIN IMMEDIATE')
    return async () => {
      await run('ROLLBACK')
      await new Promise((resolve) => other.close(resolve))
    }
  }

  it('writes many events in one transaction, in their order, and loses none at the end', async () => {
    const queue = queueOf({ writeAfter: 60_000 })
    const names = Array.from({ length: 1200 }, (_, index) => `e${index}`)
    for (const name of names) queue.add(event(name))
    await queue.stop()
    expect(await stored()).to.deep.equal(names)
    expect(transactions).to.equal(3)
    expect(queue.state).to.deep.equal({ queued: 0, spilled: 0, lost: 0 })
  })

  it('does not wait for a full batch', async () => {
    const written = new Promise<void>((resolve) => {
      const store: EventQueueOptions['store'] = {
        append: async (events) => {
          const head = await database.audit.append(events)
          resolve()
          return head
        },
        mark: () => Promise.resolve(undefined),
      }
      queueOf({ store }).add(event('alone'))
    })
    await written
    expect(await stored()).to.deep.equal(['alone'])
  })

  it('keeps 10,000 events while the database is locked, and none is missing afterwards', async () => {
    const queue = queueOf({ capacity: 1000 })
    const unlock = await lockDatabase()
    for (let index = 0; index < 10_000; index++) queue.add(event(`e${index}`))
    expect(queue.state).to.include({ queued: 1000, spilled: 9000, lost: 0 })
    await unlock()
    await queue.stop()
    expect(new Set(await stored()).size).to.equal(10_000)
    expect(queue.state.lost).to.equal(0)
    expect(await exists(), 'the spill file is gone').to.equal(false)
  })

  it('leaves what the database does not take at the end in a private file, for the next start', async () => {
    const queue = queueOf()
    const unlock = await lockDatabase()
    queue.add(event('a'))
    queue.add(event('ü"\n'))
    await queue.stop()
    expect((await stat(file)).mode & 0o777).to.equal(0o600)
    expect(queue.state).to.deep.equal({ queued: 0, spilled: 2, lost: 0 })
    await unlock()

    const next = queueOf()
    await next.start()
    await next.stop()
    expect(await stored()).to.deep.equal(['a', 'ü"\n'])
    expect(await exists()).to.equal(false)
  })

  it('stores what lies in the file once, also when it was killed in the middle of that', async () => {
    const queue = queueOf()
    const unlock = await lockDatabase()
    for (let index = 0; index < 700; index++) queue.add(event(`e${index}`))
    await queue.stop()
    await unlock()
    const before = await readFile(file)

    const spill = new SpillFile({ file, onLost: () => expect.fail('nothing is lost') })
    let batches = 0
    const killed = spill.replay(
      (name) => database.audit.mark(name),
      async (events, mark) => {
        if (++batches === 2) throw new Error('killed')
        await database.audit.append(events, mark)
      },
    )
    expect(await killed.catch((error: Error) => error.message)).to.equal('killed')
    expect(await readFile(file)).to.deep.equal(before)
    const next = queueOf()
    await next.start()
    await next.stop()
    expect(await stored()).to.deep.equal(Array.from({ length: 700 }, (_, index) => `e${index}`))
  })

  it('counts a line that was cut or cannot be read as lost, and stores the others', async () => {
    const line = (name: string) => JSON.stringify(event(name)) + '\n'
    await writeFile(file, '{"spill":"1"}\n' + line('a') + 'no json\n' + line('b'))
    await appendFile(file, line('c').slice(0, 20))
    const queue = queueOf()
    await queue.start()
    await queue.stop()
    expect(await stored()).to.deep.equal(['a', 'b'])
    expect(queue.state.lost).to.equal(2)
  })

  it('counts what fits neither into memory nor onto the disk', async () => {
    const queue = queueOf({ capacity: 1 }, { maxBytes: 0 })
    const unlock = await lockDatabase()
    for (const name of ['a', 'b', 'c', 'd']) queue.add(event(name))
    expect(queue.state).to.deep.equal({ queued: 1, spilled: 1, lost: 2 })
    await unlock()
    await queue.stop()
    expect((await stored()).sort()).to.deep.equal(['a', 'b'])
  })

  it('is not held up by an event that the database cannot take', async () => {
    const queue = queueOf({ writeAfter: 60_000 })
    queue.add(event('a'))
    queue.add({ ...event('bad'), details: null as unknown as string })
    queue.add(event('b'))
    await queue.stop()
    expect(await stored()).to.deep.equal(['a', 'b'])
    expect(queue.state.lost).to.equal(1)
  })

  it('puts what comes after its end into the file', async () => {
    const queue = queueOf()
    await queue.stop()
    queue.add(event('late'))
    expect(queue.state).to.deep.equal({ queued: 0, spilled: 1, lost: 0 })
    await queue.stop()
    expect(await stored()).to.deep.equal(['late'])
  })
})
