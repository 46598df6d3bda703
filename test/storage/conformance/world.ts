import { expect } from 'chai'
import type { Connection, Entry } from '../../../src/storage/driver.js'
import { StorageError, type StorageErrorCode } from '../../../src/storage/errors.js'

/** What a test file tells the conformance suite about the server at hand. Skips follow from what is left out. */
export interface ConformanceSetup {
  /** A fresh, logged-in connection. The suite closes it. */
  readonly connect: () => Promise<Connection>
  /** An existing, writable folder, as an absolute remote path; the suite makes a folder of its own in it for every test. */
  readonly folder: string
  /** Connects with a wrong password. */
  readonly connectRejected?: () => Promise<Connection>
  /** Makes a symbolic link at `path` (remote) that says `target`, by other means than the driver. */
  readonly plantLink?: (target: string, path: string) => Promise<void>
  /** Sets the modification time (ms) of the file at `path` (remote), by other means than the driver. */
  readonly plantTime?: (path: string, modified: number) => Promise<void>
  /** False: the server cannot hold that name at all. */
  readonly canHold?: (name: string) => boolean
  /** False: listings do not tell links from what they point to (pure-ftpd's MLSD). */
  readonly showsLinks?: boolean
  /** A folder that exists and may be neither entered nor listed. */
  readonly forbiddenFolder?: string
  /** A folder that may be entered and not listed (mode 0711). */
  readonly unlistableFolder?: string
  /** A folder that may be listed and not written to. */
  readonly readOnlyFolder?: string
  /** A file that exists and may not be read. */
  readonly forbiddenFile?: string
  /** A folder on a file system with less than 3 MiB of space. */
  readonly fullFolder?: string
  readonly close?: () => Promise<void>
}

/** One server under test: a connection that is renewed when an operation ended it, and the checks that follow every error. */
export class World {
  #connection: Connection | undefined
  #counter = 0

  private constructor(
    readonly setup: ConformanceSetup,
    private readonly run: string,
  ) {}

  static async start(setup: ConformanceSetup): Promise<World> {
    const world = new World(
      setup,
      `${setup.folder === '/' ? '' : setup.folder}/run-${process.pid}-${Date.now().toString(36)}`,
    )
    const connection = await world.connection()
    await connection.makeDirectory(world.run)
    await put(connection, world.beacon, 'in step')
    return world
  }

  /** The suite's connection; a new one where the last one ended. */
  async connection(): Promise<Connection> {
    if (this.#connection?.open !== true) this.#connection = await this.setup.connect()
    return this.#connection
  }

  private get beacon(): string {
    return `${this.run}/beacon`
  }

  /** Makes an empty folder for one test. */
  async folder(): Promise<string> {
    const path = `${this.run}/t${++this.#counter}`
    await (await this.connection()).makeDirectory(path)
    return path
  }

  /** The error must be a StorageError of one of `codes`; a connection that it calls in step must prove it. */
  async fails(attempt: Promise<unknown>, ...codes: StorageErrorCode[]): Promise<StorageError> {
    return this.judge(await thrown(attempt), ...codes)
  }

  async judge(error: unknown, ...codes: StorageErrorCode[]): Promise<StorageError> {
    if (!(error instanceof StorageError)) throw error
    expect(codes, `${error.code}: ${error.message}`).to.include(error.code)
    const connection = this.#connection
    if (error.inStep) {
      expect(connection?.open, `open after an in-step ${error.code}`).to.equal(true)
      await this.proveInStep()
    } else {
      connection?.close()
    }
    return error
  }

  /** The same with exactly `error` coming through, as for what a sink or a source throws. */
  async failsWith(attempt: Promise<unknown>, error: Error): Promise<void> {
    expect(await thrown(attempt)).to.equal(error)
    if (this.#connection?.open === true) await this.proveInStep()
  }

  /** Answers belong to their questions: told apart by content, twice. */
  async proveInStep(): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) throw new Error('no connection')
    expect(await connection.stat(this.beacon)).to.include({ name: 'beacon', type: 'file', size: 7 })
    expect(await get(connection, this.beacon)).to.equal('in step')
    await connection.ping()
  }

  async stop(): Promise<void> {
    const connection = await this.connection()
    await removeTree(connection, this.run)
    connection.close()
    await this.setup.close?.()
  }
}

async function thrown(attempt: Promise<unknown>): Promise<unknown> {
  let result: unknown
  try {
    result = await attempt
  } catch (error) {
    return error
  }
  throw new Error(`It succeeded: ${JSON.stringify(result)}`)
}

/** Links are removed, never followed. */
async function removeTree(connection: Connection, path: string): Promise<void> {
  for (const entry of (await connection.list(path)).entries) {
    const child = `${path}/${entry.name}`
    if (entry.type === 'directory' && !entry.symlink) await removeTree(connection, child)
    else await connection.removeFile(child)
  }
  await connection.removeDirectory(path)
}

// eslint-disable-next-line @typescript-eslint/require-await
export async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part
}

export function put(connection: Connection, path: string, content: string | Uint8Array): Promise<number> {
  return connection.write(path, chunks(content))
}

/** The file's (or the range's) content as text, and proof that `read` counts right. */
export async function get(connection: Connection, path: string, start?: number, end?: number): Promise<string> {
  return (await bytes(connection, path, start, end)).toString()
}

export async function bytes(connection: Connection, path: string, start?: number, end?: number): Promise<Buffer> {
  const parts: Buffer[] = []
  const range = start === undefined ? undefined : { start, end }
  const count = await connection.read(path, range, (chunk) => void parts.push(Buffer.from(chunk)))
  const content = Buffer.concat(parts)
  expect(count).to.equal(content.length)
  return content
}

export async function names(connection: Connection, path: string): Promise<string[]> {
  return (await connection.list(path)).entries.map((entry) => entry.name).sort()
}

export async function listed(connection: Connection, folder: string, name: string): Promise<Entry> {
  const entry = (await connection.list(folder)).entries.find((candidate) => candidate.name === name)
  if (!entry) throw new Error(`"${name}" is not in the listing`)
  return entry
}

/** Bytes that differ at every offset from those of their neighbourhood, so that a wrong range shows. */
export function pattern(size: number): Buffer {
  const buffer = Buffer.allocUnsafe(size)
  for (let i = 0; i < size; i++) buffer[i] = (i * 31 + (i >> 8) * 17 + (i >> 16) * 7) & 0xff
  return buffer
}
