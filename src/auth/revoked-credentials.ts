import type { AuthenticatedUser } from './authenticate.js'

/** What is under way by app passwords, tokens and sessions; as `Trees` of `vfs/`. */
export interface CredentialUse {
  /**
   * Names of those in use, as `credentialName` makes them: the kind, a colon, the id; more may follow behind another colon.
   * Where something needs two, they stand with `+` between them.
   */
  credentialsInUse(): ReadonlySet<string>
  endCredentials(ended: ReadonlySet<string>): void
}

/** Proofs of one kind. */
export interface Proofs {
  /** Which of these are no good any more. @throws DatabaseError */
  ended(ids: readonly string[], now: Date): Promise<ReadonlySet<string>>
}

export interface RevokedCredentialsOptions {
  /** By the first part of the names: `app-password`, `api-token`, `session`, `jwt`, and what else ends by itself. */
  readonly proofs: Readonly<Record<string, Proofs>>
  readonly use: CredentialUse
  readonly onError: (error: unknown) => void
  readonly now?: () => number
}

/** Between two looks while something is under way, ms: what was revoked is cut within a second. */
const EVERY = 500

/** Names an app password, token, JWT or session among all; undefined for the login password. */
export function credentialName({ via, credential, proof }: AuthenticatedUser): string | undefined {
  const id = credential?.id ?? proof
  return id === undefined ? undefined : `${via}:${id}`
}

/**
 * Ends what is under way by an app password or token that was revoked or has expired, and by a session or JWT that
 * somebody ended: of those, time alone ends nothing that has begun. Looks whenever the revision grew, and twice a second
 * while there is something to look at: a request that was let in just before shows up just after.
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
    const { use, proofs, now = Date.now } = this.options
    const names = [...use.credentialsInUse()]
    const parts = names.flatMap(partsOf)
    const gone = new Set<string>()
    for (const [kind, known] of Object.entries(proofs)) {
      const ids = new Set(parts.filter((part) => part.kind === kind).map((part) => part.id))
      if (ids.size === 0) continue
      for (const id of await known.ended([...ids], new Date(now()))) gone.add(`${kind}:${id}`)
    }
    if (gone.size === 0) return
    use.endCredentials(new Set(names.filter((name) => partsOf(name).some(({ kind, id }) => gone.has(`${kind}:${id}`)))))
  }
}

/** `share:7:1+session:x` -> share 7, session x */
function partsOf(name: string): { readonly kind: string; readonly id: string }[] {
  return name.split('+').map((part) => {
    const [kind = '', id = ''] = part.split(':')
    return { kind, id }
  })
}
