import { createHash, timingSafeEqual } from 'node:crypto'
import ssh2, { type Algorithms, type AnyAuthMethod, type AuthenticationType, type ParsedKey } from 'ssh2'
import type { Login, Trust } from '../driver.js'
import { StorageError } from '../errors.js'

/**
 * What is offered, best first. Without SHA-1, CBC and the small groups; GCM first because it is the fastest that is safe
 * (measured). ETM and strict key exchange answer CVE-2023-48795.
 */
export const ALGORITHMS: Algorithms = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
  ],
  serverHostKey: [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
}

/** OpenSSH's form: `SHA256:` and base64 without padding, over the key blob (`ssh-keygen -l`). */
export function fingerprintOf(hostKey: Buffer): string {
  return 'SHA256:' + createHash('sha256').update(hostKey).digest('base64').replace(/=+$/, '')
}

export function isTrusted(trust: Trust, fingerprint: string): boolean {
  if (trust.kind !== 'pinned') return false
  const shown = Buffer.from(fingerprint)
  return trust.fingerprints.some((pin) => {
    const wanted = Buffer.from(pin.trim().replace(/=+$/, ''))
    return wanted.length === shown.length && timingSafeEqual(wanted, shown)
  })
}

/** @throws LOGIN_REJECTED when the key cannot be used: nothing was sent, and nothing changes until the key does */
export function parsePrivateKey(pem: string, passphrase: string | undefined): ParsedKey {
  const parsed: unknown = ssh2.utils.parseKey(pem, passphrase)
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed
  if (key instanceof Error) {
    const text = key.message
    const why = /no passphrase/i.test(text)
      ? 'The private key is encrypted and no passphrase is stored for it.'
      : /integrity|decrypt|passphrase|bad/i.test(text) && passphrase !== undefined
        ? 'The passphrase does not open the private key.'
        : 'The private key cannot be read: an OpenSSH or PEM key is expected.'
    throw new StorageError('LOGIN_REJECTED', why)
  }
  const usable = key as ParsedKey | undefined
  if (!usable?.isPrivateKey())
    throw new StorageError('LOGIN_REJECTED', 'This is a public key; the private key is needed.')
  return usable
}

/**
 * One login attempt: asks with `none` what the server takes, then gives each credential at most once, and a second one
 * only when the server accepted the first and wants more (RFC 4252 section 5.1, partial success).
 */
export class LoginAttempt {
  /** Whether a credential was sent. */
  sent = false
  /** Why it ended, where the server's own words would not tell. */
  reason: string | undefined
  readonly #login: Login
  readonly #key: ParsedKey | undefined
  readonly #used = new Set<'key' | 'password'>()
  #asked = false

  constructor(login: Login) {
    this.#login = login
    this.#key = login.privateKey === undefined ? undefined : parsePrivateKey(login.privateKey, login.passphrase)
  }

  /** ssh2's `authHandler`: the next method, or false for none. */
  next(methods: AuthenticationType[] | null, partial: boolean | null): AnyAuthMethod | false {
    const { username, password } = this.#login
    if (!this.#asked) {
      this.#asked = true
      return { type: 'none', username }
    }
    if (this.#used.size > 0 && partial !== true) return false
    const offered = methods ?? []
    if (this.#key && !this.#used.has('key') && offered.includes('publickey')) {
      this.#use('key')
      return { type: 'publickey', username, key: this.#key }
    }
    if (password !== undefined && !this.#used.has('password')) {
      if (offered.includes('password')) {
        this.#use('password')
        return { type: 'password', username, password }
      }
      if (offered.includes('keyboard-interactive')) {
        this.#use('password')
        return this.#interactive(username, password)
      }
    }
    this.reason ??= this.sent
      ? 'The server wants another proof of identity than those stored.'
      : 'The server takes none of the stored kinds of credential.'
    return false
  }

  #use(credential: 'key' | 'password'): void {
    this.#used.add(credential)
    this.sent = true
  }

  /** Answers one question without echo with the password, and no other. */
  #interactive(username: string, password: string): AnyAuthMethod {
    let answered = false
    return {
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        const mine = !answered && prompts.length === 1
        if (mine) answered = true
        else this.reason = 'The server asks for more than a password.'
        finish(prompts.map(() => (mine ? password : '')))
      },
    }
  }
}
