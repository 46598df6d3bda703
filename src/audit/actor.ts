/** Who makes a change. Every changing method of a service takes one. */
export type Actor =
  | { readonly kind: 'user'; readonly userId: number; readonly username: string; readonly address: string }
  | {
      readonly kind: 'token'
      readonly userId: number
      readonly username: string
      readonly tokenName: string
      readonly address: string
    }
  /** Somebody who was not let in. */
  | { readonly kind: 'stranger'; readonly username: string; readonly address: string }
  /** Somebody with a shell on the gateway's machine. */
  | { readonly kind: 'cli'; readonly systemUser: string }
  /** The gateway itself, e.g. on first start. */
  | { readonly kind: 'system'; readonly part: string }

/** One name for people. */
export function actorName(actor: Actor): string {
  switch (actor.kind) {
    case 'user':
    case 'stranger':
      return actor.username
    case 'token':
      return `${actor.username} (${actor.tokenName})`
    case 'cli':
      return actor.systemUser
    case 'system':
      return actor.part
  }
}
