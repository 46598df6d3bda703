/** Bounds of the pool. Times in milliseconds. What a single server allows stands in its `ServerLimits`. */
export interface PoolLimits {
  /** For a connection to come free; a connect that is under way then may still finish. */
  readonly wait: number
  /** Uses of one account that wait at the same time. */
  readonly queue: number
  /** A connection that was not used for so long is closed. */
  readonly idle: number
  /** A connection this old is not lent again. */
  readonly lifetime: number
  /** A connection that was idle for so long is asked for a sign of life before it is lent. */
  readonly checkAfter: number
  readonly checkDeadline: number
  /** Connects under way to one server. An account has at most one. */
  readonly connecting: number
  /** Accounts with a pool; the one not used for longest is let go. */
  readonly accounts: number
  /** How long a limit that a server enforced ("too many connections") is kept to. */
  readonly learned: number
  /** How long a rejected login is not tried again. */
  readonly rejected: number
  /** Before the next connect of an account that was told "too many connections". */
  readonly busyPause: number
  /** Consecutive failed connects that open a server's breaker. */
  readonly breakerFailures: number
  /** First and longest pause of an open breaker, and of an account whose login fails on a server that is fine. */
  readonly breakerPause: number
  readonly breakerMaxPause: number
}

export const defaultPoolLimits: PoolLimits = {
  wait: 5_000,
  queue: 256,
  idle: 60_000,
  lifetime: 1_800_000,
  checkAfter: 30_000,
  checkDeadline: 2_000,
  connecting: 4,
  accounts: 1_000,
  learned: 300_000,
  rejected: 900_000,
  busyPause: 1_000,
  breakerFailures: 3,
  breakerPause: 1_000,
  breakerMaxPause: 60_000,
}

/** A limit that a server taught by refusing one connection more. */
export interface LearnedLimit {
  readonly value: number
  readonly until: number
}

/** The configured limit, or the learned one while it lasts; at least 1. */
export function limitNow(configured: number, learned: LearnedLimit | undefined, now: number): number {
  const value = learned !== undefined && now < learned.until ? Math.min(configured, learned.value) : configured
  return Math.max(1, value)
}
