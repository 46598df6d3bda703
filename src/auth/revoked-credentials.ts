import type { AuthenticatedUser } from './authenticate.js'
import type { SecretStore } from './issued-secret.js'

/** What is under way by app passwords and tokens; as `Trees` of `vfs/`. */
export interface CredentialUse {
  /** Names of those in use, as `credentialName` makes them: the kind, a colon, the id; more may follow behind another colon. */
  credentialsInUse(): ReadonlySet<string>
  endCredentials(ended: ReadonlySet<string>): void
}

export interface RevokedCredentialsOptions {
  /** By the first part of the names: `app-password`, `api-token`, and what else ends by itself. */
  readonly stores: Readonly<Record<string, Pick<SecretStore, 'valid'>>>
  readonly use: CredentialUse
  readonly onError: (error: unknown) => void
  readonly now?: () => number
}

/** Between two looks while something is under way, ms. */
const EVERY = 1000

/** Names an app password or token among all; undefined for who came otherwise. */
export function credentialName({ via, credential }: AuthenticatedUser): string | undefined {
  return credential && `${via}:${credential.id}`
}

/**
 * Ends what is under way by an app password or token that was revoked or has expired. Looks whenever the revision grew,
 * and each second while there is something to look at: a request that was let in just before shows up just after.
 */
export class RevokedCredentials {
  #timer: NodeJS.Timeout | undefined

  constructor(private readonly options: RevokedCredentialsOptions) {}

  start(): void {
    this.#timer = setInterval(() => {
      this.look().catch((error: unknown) => this.options.onError(error))
    }, EVERY)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** @throws DatabaseError */
  async look(): Promise<void> {
    const { use, stores, now = Date.now } = this.options
    const names = use.credentialsInUse()
    if (names.size === 0) return
    const ended = new Set<string>()
    for (const [kind, store] of Object.entries(stores)) {
      const mine = [...names].filter((name) => name.startsWith(`${kind}:`))
      if (mine.length === 0) continue
      const valid = await store.valid([...new Set(mine.map(idOf))], new Date(now()))
      for (const name of mine) if (!valid.has(idOf(name))) ended.add(name)
    }
    if (ended.size > 0) use.endCredentials(ended)
  }
}

/** `api-token:7` -> 7 */
function idOf(name: string): number {
  return Number(name.split(':')[1])
}
