import { randomUUID } from 'node:crypto'

export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'

/** Work that goes on when the page that began it was left. */
export interface Job {
  readonly id: string
  readonly userId: number
  /** By what login it was begun, as `credentialName` of `auth/` says. */
  readonly credential: string | undefined
  /** What is done, for people. */
  readonly title: string
  readonly state: JobState
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly endedAt: number | undefined
  readonly bytes: number
  /** Bytes in all; undefined while nobody knows. */
  readonly total: number | undefined
  /** How it ended, or what it is at. */
  readonly message: string
}

/** What the work reports; reports after its end are dropped. */
export interface JobProgress {
  readonly signal: AbortSignal
  total(bytes: number): void
  add(bytes: number): void
  say(message: string): void
}

export interface JobLimits {
  /** Jobs of one user that run at once; the others wait. */
  readonly runningPerUser: number
  /** Jobs of one user that run or wait. */
  readonly openPerUser: number
  /** Ended jobs that one user still sees. */
  readonly endedPerUser: number
}

const LIMITS: JobLimits = { runningPerUser: 2, openPerUser: 20, endedPerUser: 20 }

interface Entry {
  job: Job
  readonly controller: AbortController
  readonly work: (progress: JobProgress) => Promise<string>
}

/** Jobs of all users, in memory: a restart of the gateway ends them, and what they had not finished is not there. */
export class Jobs {
  readonly #entries = new Map<string, Entry>()
  readonly #running = new Set<Promise<void>>()
  readonly #limits: JobLimits
  #stopped = false

  /** @param describe what a user is told about an error of the work */
  constructor(
    private readonly describe: (error: unknown) => string,
    limits: Partial<JobLimits> = {},
    private readonly now: () => number = Date.now,
  ) {
    this.#limits = { ...LIMITS, ...limits }
  }

  /**
   * Begins, or lets wait.
   * @param work resolves with how it went, for people
   * @param credential by what login it is begun
   * @returns undefined when the user has too many open ones
   */
  start(
    userId: number,
    title: string,
    work: (progress: JobProgress) => Promise<string>,
    credential?: string,
  ): Job | undefined {
    const open = this.#of(userId).filter(({ job }) => isOpen(job)).length
    if (this.#stopped || open >= this.#limits.openPerUser) return undefined
    const job: Job = {
      id: randomUUID(),
      userId,
      credential,
      title,
      state: 'waiting',
      createdAt: this.now(),
      endedAt: undefined,
      bytes: 0,
      total: undefined,
      message: '',
    }
    const entry: Entry = { job, work, controller: new AbortController() }
    this.#entries.set(job.id, entry)
    this.#next(userId)
    return entry.job
  }

  /** The newest first. */
  list(userId: number): Job[] {
    return this.#of(userId)
      .map(({ job }) => job)
      .reverse()
  }

  /** @returns false when the user has no such open job */
  cancel(userId: number, id: string): boolean {
    const entry = this.#entries.get(id)
    if (entry?.job.userId !== userId || !isOpen(entry.job)) return false
    entry.controller.abort(new Error('The job was cancelled.'))
    // What runs ends when its work has cleaned up.
    if (entry.job.state === 'waiting') this.#end(entry, 'cancelled', 'Cancelled.')
    return true
  }

  /** Cancels everything and waits for the work to clean up. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const { job } of this.#entries.values()) this.cancel(job.userId, job.id)
    await this.settled()
  }

  /** Resolves when nothing runs. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #of(userId: number): Entry[] {
    return [...this.#entries.values()].filter(({ job }) => job.userId === userId)
  }

  #next(userId: number): void {
    const mine = this.#of(userId)
    let free = this.#limits.runningPerUser - mine.filter(({ job }) => job.state === 'running').length
    for (const entry of mine) {
      if (free <= 0) return
      if (entry.job.state !== 'waiting') continue
      free--
      entry.job = { ...entry.job, state: 'running' }
      const run = this.#run(entry).finally(() => this.#running.delete(run))
      this.#running.add(run)
    }
  }

  async #run(entry: Entry): Promise<void> {
    const { signal } = entry.controller
    const change = (fields: Partial<Job>) => {
      if (entry.job.state === 'running') entry.job = { ...entry.job, ...fields }
    }
    try {
      const message = await entry.work({
        signal,
        total: (total) => change({ total }),
        add: (bytes) => change({ bytes: entry.job.bytes + bytes }),
        say: (message) => change({ message }),
      })
      this.#end(entry, 'done', message)
    } catch (error) {
      if (signal.aborted) this.#end(entry, 'cancelled', 'Cancelled.')
      else this.#end(entry, 'failed', this.describe(error))
    }
    if (!this.#stopped) this.#next(entry.job.userId)
  }

  #end(entry: Entry, state: JobState, message: string): void {
    entry.job = { ...entry.job, state, message, endedAt: this.now() }
    const ended = this.#of(entry.job.userId).filter(({ job }) => !isOpen(job))
    for (const { job } of ended.slice(0, Math.max(0, ended.length - this.#limits.endedPerUser))) {
      this.#entries.delete(job.id)
    }
  }
}

export function isOpen({ state }: Pick<Job, 'state'>): boolean {
  return state === 'waiting' || state === 'running'
}
